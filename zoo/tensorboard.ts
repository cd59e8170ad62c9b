/**
 * Metrics as event files that TensorBoard reads: TFRecords of `tensorflow.Event`, of
 * which only scalars are needed. Written by hand: npm has no writer of event files, and the
 * six fields below are less than a general protobuf library would have to be told.
 *
 * @module
 */
import { join } from "@std/path";
import { isFile } from "../core/io/file.ts";
import { type MetricsLine, numbersOf } from "./metrics.ts";

/** What an {@link encodeEvent} may say. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** The step of training. */
  readonly step?: number;
  /** The format, in the first event of a file. */
  readonly fileVersion?: string;
  /** Numbers by tag, in float32. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Says that training starts here: what earlier files say of this step and later ones is void. */
  readonly isStart?: boolean;
}

/**
 * What {@link TrainOptions.onMetrics} may be: writes an event file into a run's folder. Each
 * line is on disk at once, so a run that is killed leaves a file that can be read; a run that
 * goes on begins a new file, which takes the place of what was reported beyond its checkpoint.
 */
export function tensorBoardWriter(folder: string): (line: MetricsLine) => void {
  let path: string | null = null;
  return (line) => {
    const wallTime = Date.now() / 1000, { step } = line;
    const append = (event: Omit<TensorBoardEvent, "wallTime">) =>
      Deno.writeFileSync(path!, encodeRecord(encodeEvent({ wallTime, ...event })), {
        append: true,
      });
    if (path === null) {
      path = newPath(folder, Math.floor(wallTime));
      append({ fileVersion: "brain.Event:2" });
      append({ step, isStart: true });
    }
    const named = Object.entries(numbersOf(line)).flatMap(([part, numbers]) =>
      Object.entries(numbers).map(([name, value]) => [`${part}/${name}`, value] as const)
    );
    append({ step, scalars: Object.fromEntries(named) });
  };
}

/** A file that is not there yet; TensorBoard reads them in the order of their names. */
function newPath(folder: string, second: number): string {
  const path = join(folder, `events.out.tfevents.${second}.${hostname()}.ponder`);
  return isFile(path) ? newPath(folder, second + 1) : path;
}

/** The name of this machine, where asking for it is allowed. */
function hostname(): string {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname() : "localhost";
}

// Records: tensorflow/core/lib/io/record_writer.h

/** A record: length, its checksum, data, their checksum. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return record;
}

/** The checksum turned and shifted, since data may hold checksums itself. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), RFC 3720 §B.4. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Of each byte, the remainder by the polynomial 0x1edc6f41, both reflected. */
const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0x82f63b78 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

// Events: tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto

/** An event as a protobuf message. */
export function encodeEvent(event: TensorBoardEvent): Uint8Array {
  const { wallTime, step = 0, fileVersion, scalars = {}, isStart = false } = event;
  const values = Object.entries(scalars).map(([tag, value]) =>
    message(1, [...message(1, utf8(tag)), ...float(2, value)]) // Summary.Value of Summary
  );
  return Uint8Array.from([
    ...double(1, wallTime),
    ...step === 0 ? [] : integer(2, step),
    ...fileVersion === undefined ? [] : message(3, utf8(fileVersion)),
    ...values.length === 0 ? [] : message(5, values.flat()),
    ...isStart ? message(7, integer(1, SESSION_START)) : [],
  ]);
}

/** `SessionLog.SessionStatus.START`. */
const SESSION_START = 1;

/** Protobuf's wire types. */
const VARINT = 0, I64 = 1, LENGTH_DELIMITED = 2, I32 = 5;

function key(field: number, wireType: number): number[] {
  return varint(field << 3 | wireType);
}

/** Seven bits a byte, the lowest first; the eighth says that there are more. */
function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}

function integer(field: number, value: number): number[] {
  return [...key(field, VARINT), ...varint(value)];
}

function double(field: number, value: number): number[] {
  return [...key(field, I64), ...new Uint8Array(new Float64Array([value]).buffer)];
}

function float(field: number, value: number): number[] {
  return [...key(field, I32), ...new Uint8Array(new Float32Array([value]).buffer)];
}

function message(field: number, bytes: ArrayLike<number>): number[] {
  return [...key(field, LENGTH_DELIMITED), ...varint(bytes.length), ...Array.from(bytes)];
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
