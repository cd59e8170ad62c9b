// The part of @std/yaml that Ponder uses.
export interface ParseOptions {
  allowDuplicateKeys?: boolean;
  schema?: "failsafe" | "json" | "core" | "default" | "extended";
  onWarning?(error: Error): void;
}
export function stringify(data: unknown): string;
export function parse(content: string, options?: ParseOptions): unknown;
