/**
 * Operator schemas: the strings by which libtorch registers its operators, read
 * at run time to encode arguments and at compile time to type them.
 *
 * @module
 */
import type { Handle } from "./handle.ts";

/** What an argument is on the dispatcher's stack. */
export interface ArgumentKind {
  /** The element or plain type. */
  readonly base: "Tensor" | "int" | "float" | "bool" | "ScalarType" | "Device" | "none" | "str";
  /** Whether it is a list of that. */
  readonly list: boolean;
  /** Whether it may be null. */
  readonly optional: boolean;
  /** Whether the operator writes to it. */
  readonly written: boolean;
  /** The name of the argument. */
  readonly name: string;
}

/** What a result is: a tensor that owns its storage, an argument again, a bool or an integer. */
export type ResultKind = "tensor" | "argument" | "bool" | "int";

/** A schema, taken apart. */
export interface ParsedSchema {
  /** `aten::mul`. */
  readonly name: string;
  /** `Tensor`, or the empty string. */
  readonly overload: string;
  /** The arguments, in order. */
  readonly parameters: readonly ArgumentKind[];
  /** What comes back, in order. */
  readonly results: readonly ResultKind[];
}

const BASES: Record<string, ArgumentKind["base"]> = {
  Tensor: "Tensor",
  int: "int",
  SymInt: "int",
  float: "float",
  bool: "bool",
  ScalarType: "ScalarType",
  Device: "Device",
  str: "str",
  // Always passed as null, so their encodings are of no concern.
  Layout: "none",
  MemoryFormat: "none",
  Generator: "none",
};

/** Takes `mul.Tensor(Tensor self, Tensor other) -> Tensor` apart. */
export function parseSchema(schema: string): ParsedSchema {
  const match = /^([\w:]+)(?:\.(\w+))?\((.*)\) -> (.*)$/.exec(schema);
  if (match === null) throw new SyntaxError(`internal: "${schema}" is no operator schema`);
  const [, name, overload = "", parameters, results] = match as unknown as string[];
  return {
    name: name!.includes("::") ? name! : `aten::${name}`,
    overload,
    parameters: splitOutsideBrackets(parameters!).filter((p) => p !== "*").map(parseParameter),
    results: splitOutsideBrackets(results!.replace(/^\((?!a)(.*)\)$/, "$1")).map(parseResult),
  };
}

function splitOutsideBrackets(text: string): string[] {
  return text === "" ? [] : text.split(/, (?![^[(]*[\])])/);
}

function parseParameter(text: string): ArgumentKind {
  const match = /^(\w+)(\([a-z]!\))?(\[\d*\])?(\?)? (\w+)(?:=.*)?$/.exec(text);
  const base = match === null ? undefined : BASES[match[1]!];
  if (match === null || base === undefined) {
    throw new SyntaxError(`internal: parameter "${text}" cannot be passed to the dispatcher`);
  }
  const [, , written, list, optional, name] = match;
  return {
    base,
    list: list !== undefined,
    optional: optional !== undefined,
    written: written !== undefined,
    name: name!,
  };
}

function parseResult(text: string): ResultKind {
  if (/^Tensor( \w+)?$/.test(text)) return "tensor";
  if (/^Tensor\([a-z]!\)( \w+)?$/.test(text)) return "argument";
  if (text === "bool") return "bool";
  if (/^(Sym)?[iI]nt( \w+)?$/.test(text)) return "int";
  throw new SyntaxError(`internal: result "${text}" cannot be read from the dispatcher`);
}

// The same grammar for the type checker.

type Plain<T extends string> = T extends `Tensor${string}` ? Handle
  : T extends "int" | "SymInt" | "float" ? number
  : T extends "bool" ? boolean
  : T extends "str" ? string
  : T extends "ScalarType" ? number
  : T extends "Device" ? { type: number; index: number }
  : null;

type Listed<T extends string> = T extends `${infer Base}[${string}]` ? readonly Plain<Base>[]
  : Plain<T>;

type Argument<P extends string> = P extends `${infer T}? ${string}` ? Listed<T> | null
  : P extends `${infer T} ${string}` ? Listed<T>
  : never;

type Arguments<P extends string> = P extends "" ? []
  : P extends `*, ${infer Rest}` ? Arguments<Rest>
  : P extends `${infer First}, ${infer Rest}` ? [Argument<First>, ...Arguments<Rest>]
  : [Argument<P>];

type Result<R extends string> = R extends "Tensor" ? Handle
  : R extends "bool" ? boolean
  : R extends "Tensor(a!)" | "()" ? void
  : R extends `(${infer Several})` ? Results<Several>
  : never;

type Results<R extends string> = R extends `${infer First}, ${infer Rest}`
  ? [OneResult<First>, ...Results<Rest>]
  : [OneResult<R>];

type OneResult<R extends string> = R extends `${"SymInt" | "int"}${string}` ? number : Handle;

/** The function that a schema describes. */
export type Operator<S extends string> = S extends `${string}(${infer P}) -> ${infer R}`
  ? (...args: Arguments<P>) => Result<R>
  : never;
