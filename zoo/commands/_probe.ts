// Opens the libtorch in a folder, runs one operation, and prints its version.
import { tensor } from "../../core/mod.ts";
import { loadLibrary } from "../../ffi/mod.ts";

try {
  const { version } = loadLibrary({ path: Deno.args[0]! });
  const x = tensor([[1, 2], [3, 4]]);
  const [a, b] = x.matmul(x).toNumbers();
  if (a !== 7 || b !== 10) throw new Error(`it multiplies wrongly: ${a}, ${b} for 7, 10`);
  console.log(version);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
