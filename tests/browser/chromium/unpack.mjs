// Unpacks the browser, and the libraries a bare machine lacks, into TMPDIR.
import chromium from "@sparticuz/chromium";
import { inflate } from "./node_modules/@sparticuz/chromium/build/esm/lambdafs.js";

const packed = new URL("node_modules/@sparticuz/chromium/bin/", import.meta.url).pathname;
await chromium.executablePath(packed);
await inflate(`${packed}al2023.tar.br`);
