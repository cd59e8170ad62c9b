// The part of @std/path that Ponder uses.
export function join(path: string, ...paths: string[]): string;
export function resolve(...paths: string[]): string;
export function dirname(path: string): string;
export function basename(path: string, suffix?: string): string;
export function extname(path: string): string;
export function isAbsolute(path: string): boolean;
export function relative(from: string, to: string): string;
export function normalize(path: string): string;
export function fromFileUrl(url: URL | string): string;
export function toFileUrl(path: string): URL;
