/** What the review asks its server: numbers, samples of rows, and verdicts. */

/**
 * @typedef {object} Row
 * @property {number} number @property {Record<string, string|number>} keys @property {string} state
 * @property {string} caption @property {string} told what the model knew @property {string[]} faults
 * @property {string} verdict @property {string} remark
 *
 * @typedef {object} Numbers
 * @property {Record<string, number>} kinds rows of each kind @property {Record<string, number>} faults of the doubtful
 *
 * @typedef {Numbers & {file: string, images: boolean, legend: Record<string, string>, source: string, model: string, protocol: string}} About
 * @typedef {{verdict: "accepted"} | {verdict: "corrected", caption: string} | {verdict: "rejected", remark: string}} Verdict
 */

/** @param {string} address @param {object} [body] @returns {Promise<any>} an Error holds the server's sentence */
async function ask(address, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The review was ended: start it again in the terminal.");
  }
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
}

/** @returns {Promise<About>} */
export const about = () => ask("api/numbers");

/** @param {string} kind @param {string} fault @param {number} seed @returns {Promise<Row[]>} */
export const sample = (kind, fault, seed) => ask(`api/sample?${new URLSearchParams({ kind, fault, seed: String(seed) })}`);

/** @param {number} number @param {Verdict} verdict @returns {Promise<Numbers & {row: Row}>} */
export const judge = (number, verdict) => ask(`api/rows/${number}/verdict`, verdict);

/** @param {Row} row @returns {string} */
export const imageOf = (row) => `api/rows/${row.number}/image`;
