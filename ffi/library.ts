/**
 * The open library: found, loaded and checked once, at the first use. Importing
 * this module opens nothing and needs no permission.
 *
 * @module
 */
import { join } from "@std/path";
import { LibraryError } from "./errors.ts";
import { libraryFile, locateLibrary, notFoundMessage } from "./locate.ts";
import { cudaTable, type KernelName, kernelTable, symbolTable } from "./symbols.ts";

/** What was loaded. */
export interface LibraryInfo {
  /** The folder of the library that was opened. */
  readonly directory: string;
  /** The version of libtorch, such as `2.13.0`. */
  readonly version: string;
  /** Threads that one operator uses. */
  readonly threads: number;
}

/** How to load libtorch. */
export interface LoadOptions {
  /** The library file or its folder; by default it is searched for. */
  readonly path?: string;
  /** Threads for one operator; by default what `OMP_NUM_THREADS` says, else every core. */
  readonly threads?: number;
  /**
   * What a thread does that waits for the others: spin, fastest on an idle machine, or
   * sleep, many times faster where other programs want the cores too; by default what
   * `OMP_WAIT_POLICY` says, else spin.
   */
  readonly waitPolicy?: "active" | "passive";
}

type Symbols = Deno.StaticForeignLibraryInterface<typeof symbolTable>;
type Kernels = Deno.StaticForeignLibraryInterface<typeof kernelTable>;
type CudaRuntime = Deno.StaticForeignLibraryInterface<typeof cudaTable>;

const OLDEST_VERSION = "2.11";
/** The newest version whose conventions this code knows; passed to the dispatcher. */
const NEWEST_ABI = (2n << 56n) | (13n << 48n);

/** Of `c10::DeviceType`. */
const CUDA = 1, META = 14;

interface OpenLibrary {
  readonly symbols: Symbols;
  readonly info: LibraryInfo;
  readonly abi: bigint;
  readonly kernels: Map<string, Kernels>;
  cuda?: CudaRuntime;
}

let open: OpenLibrary | undefined;
let metaInUse = false;

/** Whether there may be tensors on `meta`. Internal to ffi. */
export function isMetaInUse(): boolean {
  return metaInUse;
}

/**
 * Loads libtorch, unless it is loaded already, and says what was loaded. Every
 * operation calls this by itself; call it to choose a path or a number of threads.
 *
 * @throws {LibraryError} when none is found, or it cannot be opened, or it is older than 2.11
 */
export function loadLibrary(options: LoadOptions = {}): LibraryInfo {
  if (open === undefined) open = openLibrary(options);
  else refuseChange(open.info, options);
  return open.info;
}

/** The symbols of the loaded library, loading it if need be. Internal to ffi. */
export function symbols(): Symbols {
  if (open === undefined) loadLibrary();
  return open!.symbols;
}

/** The version that the dispatcher is told. Internal to ffi. */
export function dispatcherAbi(): bigint {
  if (open === undefined) loadLibrary();
  return open!.abi;
}

/** The direct kernels of a kind of device. Internal to ffi. */
export function kernels(device: "cpu" | "cuda"): Kernels {
  if (open === undefined) loadLibrary();
  let found = open!.kernels.get(device);
  if (found === undefined) {
    found = openKernels(open!.info.directory, device);
    open!.kernels.set(device, found);
  }
  return found;
}

/**
 * Makes sure that tensors can lie on a device, by its `c10::DeviceType`: the library of
 * CUDA is a file of its own, whose kernels libtorch knows once it is open. Internal to ffi.
 *
 * @throws {LibraryError} when there is none, or it cannot be opened, or no GPU is found
 */
export function openDevice(type: number): void {
  if (type === META) metaInUse = true;
  if (type !== CUDA || open?.cuda !== undefined) return;
  const { version, directory } = loadLibrary();
  try {
    kernels("cuda");
    const cuda = openFile(join(directory, libraryFile("cuda")), cudaTable);
    requireGpu(cuda);
    open!.cuda = cuda;
  } catch (cause) {
    const { message } = cause as Error;
    const isMissing = /libtorch_cuda\.so: cannot open shared object/.test(message);
    const reason = isMissing
      ? "it is built without CUDA; 'deno task setup --variant=cu130' fetches one that has it"
      : message;
    throw new LibraryError(
      `Cannot compute on cuda with libtorch ${version} in "${directory}": ${reason}`,
      { cause },
    );
  }
}

/** CUDA's runtime. Internal to ffi. */
export function cudaRuntime(): CudaRuntime {
  openDevice(CUDA);
  return open!.cuda!;
}

function requireGpu(cuda: CudaRuntime): void {
  const count = new Int32Array(1);
  const code = cuda.cudaGetDeviceCount(count);
  if (code !== 0) throw new LibraryError(`no GPU is found: ${cudaErrorText(cuda, code)}`);
  if (count[0] === 0) throw new LibraryError("no GPU is found");
}

/** What CUDA says of an error of its own. Internal to ffi. */
export function cudaErrorText({ cudaGetErrorString }: CudaRuntime, code: number): string {
  return textAt(cudaGetErrorString(code));
}

/** The text at an address, up to its end. Internal to ffi. */
export function textAt(address: bigint): string {
  const { strlen, memcpy_from } = symbols();
  const length = strlen(address);
  const text = new Uint8Array(Number(length));
  if (length > 0n) memcpy_from(text, address, length);
  return new TextDecoder().decode(text);
}

function refuseChange(info: LibraryInfo, { path, threads }: LoadOptions): void {
  if (path !== undefined && locateLibrary({ path }).found?.directory !== info.directory) {
    throw new LibraryError(`Cannot load "${path}": "${info.directory}" is loaded already`);
  }
  if (threads !== undefined && threads !== info.threads) {
    throw new LibraryError(
      `Cannot use ${threads} threads: libtorch is loaded already and uses ${info.threads}`,
    );
  }
}

function openLibrary({ path, threads, waitPolicy }: LoadOptions): OpenLibrary {
  const { found, tried } = locateLibrary(path === undefined ? {} : { path });
  if (found === undefined) throw new LibraryError(notFoundMessage(tried));
  // OpenMP reads its settings once, when the library is mapped.
  if (threads !== undefined) Deno.env.set("OMP_NUM_THREADS", String(threads));
  if (waitPolicy !== undefined) Deno.env.set("OMP_WAIT_POLICY", waitPolicy);

  const symbols = openFile(join(found.directory, libraryFile("cpu")), symbolTable);
  const abi = symbols.aoti_torch_abi_version();
  const version = formatVersion(abi);
  requireVersion(version, found.directory, symbols);
  keepFreedMemory(symbols);
  symbols.aoti_torch_grad_mode_set_enabled(false); // the tape is ours, in core/autograd.ts

  const count = new Uint32Array(1);
  symbols.torch_get_num_threads(count);
  return {
    symbols,
    info: { directory: found.directory, version, threads: count[0]! },
    abi: abi < NEWEST_ABI ? abi : NEWEST_ABI,
    kernels: new Map(),
  };
}

function openKernels(directory: string, device: "cpu" | "cuda"): Kernels {
  const table: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(kernelTable)) {
    table[name] = { ...row, name: `aoti_torch_${device}_${name}` };
  }
  const file = join(directory, libraryFile(device));
  return openFile(file, table as typeof kernelTable) as Kernels;
}

function openFile<T extends Deno.ForeignLibraryInterface>(
  file: string,
  table: T,
): Deno.StaticForeignLibraryInterface<T> {
  try {
    return Deno.dlopen(file, table).symbols;
  } catch (cause) {
    throw new LibraryError(openFailure(file, cause as Error), { cause });
  }
}

function openFailure(file: string, cause: Error): string {
  if (cause instanceof Deno.errors.NotCapable) {
    return `Cannot open "${file}": run again with --allow-ffi=${file.replace(/[\\/][^\\/]*$/, "")}`;
  }
  const symbol = /[Ff]ailed to register symbol (\w+)/.exec(cause.message)?.[1];
  if (symbol !== undefined) {
    return `Cannot use "${file}": it lacks ${symbol}, so it is older than libtorch ${OLDEST_VERSION}` +
      ` or another build; 'deno task setup' installs one that works`;
  }
  return `Cannot open "${file}": ${cause.message}; 'deno task setup' installs one that works`;
}

/** `2.13.0` of the packed number that `aoti_torch_abi_version` returns. */
function formatVersion(abi: bigint): string {
  return [56n, 48n, 40n].map((shift) => (abi >> shift) & 0xffn).join(".");
}

function requireVersion(version: string, directory: string, symbols: Symbols): void {
  const [major, minor] = version.split(".").map(Number) as [number, number];
  const [oldestMajor, oldestMinor] = OLDEST_VERSION.split(".").map(Number) as [number, number];
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new LibraryError(
      `Cannot use libtorch ${version} in "${directory}": Ponder needs ${OLDEST_VERSION} or newer` +
        `; 'deno task setup' installs one that works`,
    );
  }
  if (symbols.torch_new_stable_ivalue === null && symbols.operator_new === null) {
    throw new LibraryError(
      `Cannot use libtorch ${version} in "${directory}": it offers neither torch_new_stable_ivalue ` +
        `nor operator new; libtorch 2.13 or newer has the former`,
    );
  }
}

/**
 * Lets glibc keep what tensors free instead of returning it to the system: a
 * training step allocates the same sizes again and again, and the page faults
 * cost more than the arithmetic at some sizes. See `man 3 mallopt`.
 */
function keepFreedMemory({ mallopt }: Symbols): void {
  if (mallopt === null) return;
  const M_TRIM_THRESHOLD = -1, M_TOP_PAD = -2, M_MMAP_MAX = -4;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

export type { KernelName };
