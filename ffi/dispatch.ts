/**
 * Calls of libtorch's dispatcher: arguments are checked and encoded by the
 * operator's schema, so that a wrong call is a JavaScript error, never a crash.
 *
 * @module
 */
import { check, Handle, resultHandle } from "./handle.ts";
import { noteLaunch } from "./launches.ts";
import { dispatcherAbi, symbols } from "./library.ts";
import { type ArgumentKind, type ParsedSchema, parseSchema, type ResultKind } from "./schema.ts";

const STACK_SLOTS = 24;
const stack: BigUint64Array = new BigUint64Array(STACK_SLOTS);
const signed: BigInt64Array = new BigInt64Array(stack.buffer);
const floats: Float64Array = new Float64Array(stack.buffer);
const out: BigUint64Array = new BigUint64Array(1);
const outFloat: Float64Array = new Float64Array(out.buffer);
const encoder: TextEncoder = new TextEncoder();

/** A call of one operator: arguments in the schema's order, results as it says. */
export type Call = (...args: unknown[]) => unknown;

/** What becomes of the address of a tensor that an operator returned. */
type Take = (address: bigint) => unknown;

const takeHandle: Take = (address) => new Handle(address, null);

/** The function that calls the operator which `schema` describes. */
export function operator(schema: string, take: Take = takeHandle): Call {
  const parsed = parseSchema(schema);
  const name = encoder.encode(parsed.name + "\0");
  const overload = encoder.encode(parsed.overload + "\0");
  const label = schema.slice(0, schema.indexOf("("));
  const { parameters } = parsed;
  const written = parameters.flatMap((parameter, i) => parameter.written ? [i] : []);

  return (...args) => {
    const count = parameters.length;
    if (args.length !== count) {
      throw new TypeError(`internal: ${label} takes ${count} arguments, not ${args.length}`);
    }
    // Every argument is checked before the first is encoded: encoding takes ownership.
    for (let i = 0; i < count; i++) checkArgument(label, parameters[i]!, args[i]);
    for (let i = 0; i < count; i++) encode(i, parameters[i]!, args[i]);
    noteLaunch(label);
    for (const i of written) noteWrite(args[i] as Handle | readonly Handle[]);
    check(symbols().torch_call_dispatcher(name, overload, stack, dispatcherAbi()), label);
    return decode(parsed, take);
  };
}

function noteWrite(target: Handle | readonly Handle[]): void {
  if (target instanceof Handle) target.storage.version++;
  else for (const handle of target) handle.storage.version++;
}

function checkArgument(label: string, kind: ArgumentKind, value: unknown): void {
  if (value === null) {
    if (kind.optional || kind.base === "none") return;
  } else if (!kind.list) {
    if (isPlain(kind.base, value)) return;
  } else if (Array.isArray(value) && value.every((item) => isPlain(kind.base, item))) {
    return;
  }
  throw new TypeError(`internal: ${label} cannot take ${describe(value)} as ${kind.name}`);
}

function isPlain(base: ArgumentKind["base"], value: unknown): boolean {
  switch (base) {
    case "Tensor":
      return value instanceof Handle && !value.freed;
    case "int":
    case "ScalarType":
      return Number.isSafeInteger(value);
    case "float":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "str":
      return typeof value === "string";
    case "Device":
      return typeof value === "object" && "type" in value! && "index" in value;
    case "none":
      return false;
  }
}

function describe(value: unknown): string {
  if (value instanceof Handle) return value.freed ? "a freed tensor" : "a tensor";
  return Array.isArray(value) ? `[${value.map(describe).join(", ")}]` : String(value);
}

/** Writes one argument into slot `i`; an optional one goes to the heap first. */
function encode(i: number, kind: ArgumentKind, value: unknown): void {
  if (value === null) {
    stack[i] = 0n;
    return;
  }
  if (kind.list) stack[i] = encodeList(kind.base, value as readonly unknown[]);
  else encodePlain(i, kind.base, value);
  if (kind.optional) stack[i] = heapSlot(stack[i]!);
}

function encodePlain(i: number, base: ArgumentKind["base"], value: unknown): void {
  switch (base) {
    case "Tensor":
      stack[i] = newReference(value as Handle);
      break;
    case "float":
      floats[i] = value as number;
      break;
    case "bool":
      stack[i] = value ? 1n : 0n;
      break;
    case "str":
      stack[i] = newString(value as string);
      break;
    case "Device": {
      const { type, index } = value as { type: number; index: number };
      stack[i] = (BigInt(type) << 32n) | BigInt(index >>> 0);
      break;
    }
    default:
      signed[i] = BigInt(value as number);
  }
}

/** A handle of its own for libtorch, which consumes it. */
function newReference(handle: Handle): bigint {
  check(symbols().aoti_torch_new_tensor_handle(handle.address, out), "new handle");
  return out[0]!;
}

function newString(text: string): bigint {
  const bytes = encoder.encode(text);
  check(symbols().torch_new_string_handle(bytes, BigInt(bytes.length), out), "new string");
  return out[0]!;
}

function encodeList(base: ArgumentKind["base"], items: readonly unknown[]): bigint {
  const { torch_new_list_reserve_size, torch_list_push_back } = symbols();
  check(torch_new_list_reserve_size(BigInt(items.length), out), "new list");
  const list = out[0]!;
  for (const item of items) {
    let bits: bigint;
    if (base === "Tensor") bits = newReference(item as Handle);
    else if (base === "float") {
      outFloat[0] = item as number;
      bits = out[0]!;
    } else bits = BigInt.asUintN(64, BigInt(item as number | boolean));
    check(torch_list_push_back(list, bits), "list push");
  }
  return list;
}

/** The address of a heap slot that holds `bits`; libtorch frees it. */
function heapSlot(bits: bigint): bigint {
  const { torch_new_stable_ivalue, operator_new, memcpy_to } = symbols();
  let address: bigint;
  if (torch_new_stable_ivalue !== null) {
    check(torch_new_stable_ivalue(out), "new optional");
    address = out[0]!;
  } else {
    address = operator_new!(8n);
  }
  out[0] = bits;
  memcpy_to(address, out, 8n);
  return address;
}

function decode({ results }: ParsedSchema, take: Take): unknown {
  if (results.length === 1) return decodeOne(0, results[0]!, take);
  return results.map((kind, i) =>
    kind === "tensor" ? resultHandle(stack[i]!) : decodeOne(i, kind, take)
  );
}

function decodeOne(i: number, kind: ResultKind, take: Take): unknown {
  const bits = stack[i]!;
  switch (kind) {
    case "tensor":
      return take(bits);
    case "bool":
      return (bits & 0xffn) !== 0n;
    case "int":
      return Number(signed[i]);
    case "argument": // the same tensor again, by a handle that nobody needs
      check(symbols().aoti_torch_delete_tensor_object(bits), "delete");
      return undefined;
  }
}
