import config from "../deno.json" with { type: "json" };

/** The version of Ponder. */
export const version: string = config.version;
