// Ends well where a GPU can be computed on.
import { ones } from "../../core/mod.ts";

ones([2], { device: "cuda" }).add(1).toNumbers();
