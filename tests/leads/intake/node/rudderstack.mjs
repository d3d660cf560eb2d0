// node rudderstack.mjs HOST KEY: gzip is on, as it is by default.
import Analytics from "@rudderstack/rudder-sdk-node";

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics(writeKey, { dataPlaneUrl: host, flushAt: 20, flushInterval: 500, logLevel: "error" });
const delivered = (call, message) =>
  new Promise((resolve, reject) => analytics[call](message, (error) => (error ? reject(error) : resolve())));
const calls = [
  delivered("identify", { userId: "u-1", traits: { email: "ada@engines.example" } }),
  delivered("page", { userId: "u-1", name: "Docs" }),
];
for (let n = 0; n < 98; n++) {
  calls.push(delivered("track", { userId: "u-1", event: "Item Viewed", properties: { n } }));
}
await Promise.all(calls);
console.log(JSON.stringify({ sent: calls.length }));
process.exit(0);
