// node segment.mjs HOST KEY: 1 of each call and 200 more, as an application would.
import { Analytics } from "@segment/analytics-node";

const [host, writeKey] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 25 });
const failures = [];
analytics.on("error", (error) => failures.push(error));
analytics.identify({ userId: "u-1", anonymousId: "a-1", traits: { email: "ada@engines.example" } });
analytics.group({ userId: "u-1", groupId: "g-1", traits: { name: "Engines" } });
analytics.page({ anonymousId: "a-1", name: "Docs", properties: { url: "https://x.example/" } });
analytics.screen({ userId: "u-1", name: "Start" });
analytics.alias({ userId: "u-1", previousId: "a-1" });
for (let n = 0; n < 200; n++) {
  analytics.track({ userId: "u-1", event: "Item Viewed", properties: { n } });
}
await analytics.closeAndFlush({ timeout: 60000 });
if (failures.length) throw failures[0];
console.log(JSON.stringify({ sent: 205 }));
