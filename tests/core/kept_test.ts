import { assertEquals } from "@std/assert";
import { keptPacked } from "../../core/kept.ts";
import { linear } from "../../core/ops/matmul.ts";
import { direct } from "../../ffi/kernels.ts";
import { liveBytes, liveTensors } from "../../ffi/mod.ts";
import { noGrad, randn, Random, scope, swiglu } from "../../mod.ts";

Deno.test("weights that are used often are packed: the same products, until they change", () => {
  const before = [liveTensors(), liveBytes()];
  {
    using _ = scope();
    const random = new Random(1);
    const bfloat16 = (shape: number[]) => randn(shape, random).to("bfloat16");
    const x = bfloat16([96, 64]), up = bfloat16([256, 64]), down = bfloat16([64, 128]);
    const products = () =>
      noGrad(() => [linear([x, up]), swiglu([x, up, down])].map((y) => y.toNumbers()));
    const plain = products();
    for (let i = 0; i < 40; i++) assertEquals(products(), plain);
    const product = direct.oneDnnProduct(x.handle, up.handle);
    assertEquals(keptPacked(up, 96) !== null, product !== null); // where oneDNN is for bfloat16
    product?.release();

    up.copy_(up.mul(2));
    const changed = products();
    assertEquals(changed[0], plain[0]!.map((y) => 2 * y));
    for (let i = 0; i < 40; i++) assertEquals(products(), changed);
  }
  assertEquals([liveTensors(), liveBytes()], before);
});
