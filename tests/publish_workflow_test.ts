/** The workflow that publishes: it is YAML, refuses a tag that is not the version, and tests first. */
import { assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));

interface Workflow {
  readonly jobs: {
    readonly publish: {
      readonly steps: readonly {
        readonly run?: string;
        readonly with?: Readonly<Record<string, string>>;
      }[];
    };
  };
}
const { steps } = (parse(read(".github/workflows/publish.yml")) as Workflow).jobs.publish;
const [tagCheck, ...afterwards] = steps.flatMap(({ run }) => run === undefined ? [] : [run]);

Deno.test("publishing tests everything first, with the Deno that CI has", () => {
  assertEquals(afterwards, ["bash .ci/run", "deno publish"]);
  const version = steps.find((step) => step.with)?.with?.["deno-version"];
  assertEquals(read(".ci/run").includes(`deno@${version} `), true);
});

Deno.test("publishing refuses a tag that is not the version", async () => {
  const statusOf = async (tag: string) => {
    const env = { GITHUB_REF_NAME: tag };
    return (await new Deno.Command("bash", { args: ["-c", tagCheck!], cwd: ROOT, env }).output())
      .code;
  };
  assertEquals(await statusOf(`v${config.version}`), 0);
  assertEquals(await statusOf("v99.0.0"), 1);
});
