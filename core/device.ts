/**
 * Where a tensor lies.
 *
 * @module
 */

/**
 * A device: the CPU; a CUDA GPU, the first if no number is given; or `meta`, whose tensors have a
 * shape, a dtype and no elements: what is computed there says what a GPU would be asked to do,
 * and costs no memory.
 */
export type Device = "cpu" | "cuda" | `cuda:${number}` | "meta";

/** A device as libtorch numbers it. Internal to core. */
export interface DeviceCode {
  /** `c10::DeviceType`. */
  readonly type: number;
  /** Which of its kind. */
  readonly index: number;
}

/** Whether it names a device, existing or not. Internal to core. */
export function isDevice(name: string): name is Device {
  return name === "cpu" || name === "meta" || name.startsWith("cuda");
}

/** libtorch's numbers of a device. Internal to core. */
export function deviceCodeOf(device: Device): DeviceCode {
  if (device === "cpu") return { type: 0, index: 0 };
  if (device === "meta") return { type: 14, index: -1 };
  const match = /^cuda(?::(\d+))?$/.exec(device);
  if (match === null) {
    throw new TypeError(
      `Cannot use device "${device}": expected "cpu", "cuda", "cuda:N" or "meta"`,
    );
  }
  const index = Number(match[1] ?? 0);
  if (index > 127) throw new RangeError(`Cannot use device "${device}": at most cuda:127`);
  return { type: 1, index };
}

/** The device of libtorch's numbers. Internal to core. */
export function deviceOf({ type, index }: DeviceCode): Device {
  if (type === 0) return "cpu";
  if (type === 1) return `cuda:${index}`;
  if (type === 14) return "meta";
  throw new TypeError(`Cannot represent libtorch's device type number ${type}`);
}
