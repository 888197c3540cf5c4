/** What a person can do with a mask, a filled frame and candidates; as in `Actions`, which runs them. */
import { costWords, secondsOf } from "./mask/edit-cost.mjs";
import { fromXYWH, intersect, snapOut, toXYWH } from "./geometry/rect.mjs";
import { wholeMask } from "./mask/mask-png.mjs";

export class EditActions {
  #page;
  #api;
  #actions;

  /** @param {import("./scene-canvas.mjs").Page} page @param {import("./scene/transport.mjs").Api} api @param {import("./actions.mjs").Actions} actions */
  constructor(page, api, actions) {
    this.#page = page;
    this.#api = api;
    this.#actions = actions;
  }

  /** Of a filled frame: say what making it anew would run, and wait for a yes. */
  async offerAnew(frame) {
    const wish = this.#anew;
    const cost = costWords(wish.variations, this.#page.panel.request.sampler, await secondsOf(this.#page, frame, wish));
    const action = { label: "Make this frame anew", run: () => this.remake(frame) };
    this.#page.notices.show(`This frame is filled: press a handle, or make it anew (${cost}).`, { action, seconds: 30 });
  }

  /** What of an edit does not come from the panel, where a whole frame is made anew. */
  get #anew() {
    const { feather, variations } = this.#page.mask.settings;
    return { strength: 1, feather, variations };
  }

  /** Queue an edit of a whole frame, whatever is there; its variations come back as candidates. @param {import("./geometry/rect.mjs").Rect} frame */
  remake(frame) {
    return this.#actions.once("A change is being queued", async () => {
      const id = await this.#submitEdit(await wholeMask(frame), this.#anew);
      this.#page.mask.remember(id, [{ kind: "invert", rect: frame }]);
    }, () => this.remake(frame));
  }

  /** @returns {Promise<string>} the job */
  async #submitEdit(painted, wish) {
    const { request } = this.#page.panel;
    this.#actions.noteBranch();
    const { id } = await this.#api.post(this.#actions.scenePath("/edits"), { ...painted, ...request, ...wish });
    this.#page.afterSubmit(request.seed);
    return id;
  }

  /** Queue an edit of what is under the mask; its variations come back as candidates. */
  edit() {
    return this.#actions.once("A change is being queued", async () => {
      const { mask } = this.#page;
      const painted = await mask.request();
      if (typeof painted === "string") {
        this.#page.notices.show(painted);
        return;
      }
      const { strength, feather, variations } = mask.settings;
      // What is painted while the answer is on its way belongs to the next change.
      const operations = mask.send();
      try {
        mask.remember(await this.#submitEdit(painted, { strength, feather, variations }), operations);
      } catch (error) {
        mask.takeBack(operations);
        throw error;
      }
      if (mask.empty) this.#page.chooseTool("select");
    }, () => this.edit());
  }

  /** Add the clouds in sight to the mask, for the person to correct. */
  findClouds() {
    return this.#actions.once("Clouds are being looked for", async () => {
      const { state, view, mask, sceneId } = this.#page;
      const sight = snapOut(view.visible());
      const rect = state.scene?.bounds && intersect(sight, fromXYWH(state.scene.bounds));
      if (!rect) {
        this.#page.notices.show("There is no ground in sight: move the map to where clouds shall be found.");
        return;
      }
      const found = await this.#api.post(this.#actions.scenePath("/clouds"), { rect: toXYWH(rect) });
      if (this.#page.sceneId !== sceneId) return;
      if (found.rect) {
        mask.add(fromXYWH(found.rect), found.counts);
        if (!found.sure) this.#page.notices.show("These may be sand, surf or roofs: no shadow fits them. Look before they are changed.", { seconds: 12 });
      } else this.#page.notices.show("No clouds were found in sight: paint over them instead.");
    }, () => this.findClouds());
  }

  /** @param {import("./map/staging.mjs").Candidate} candidate @param {(on: boolean) => void} hold keep it drawn until its tiles are here, or no more */
  acceptCandidate(candidate, hold) {
    return this.#actions.once("A candidate is being accepted", async () => {
      this.#actions.noteBranch();
      hold(true);
      try {
        this.#page.apply("scene", await this.#api.post(this.#actions.scenePath(`/candidates/${candidate.id}/accept`)));
        this.#page.panel.showSeed(candidate.request.seed);
      } catch (error) {
        hold(false);
        if (error.status !== 409) throw error;
        const again = { label: "Discard", run: () => this.discardCandidates(candidate) };
        this.#page.notices.show(error.message, { error: true, action: again });
      }
    }, () => this.acceptCandidate(candidate, hold));
  }

  /** @param {import("./map/staging.mjs").Candidate} candidate one of the batch */
  discardCandidates(candidate) {
    return this.#actions.run(async () => {
      await this.#api.call("DELETE", this.#actions.scenePath(`/candidates?batch=${candidate.batch}`));
      const { mask, notices } = this.#page;
      const operations = mask.empty ? mask.sentFor(candidate.batch) : undefined;
      const again = operations && { label: "Take the mask again", run: () => mask.takeBack(operations) };
      notices.show("The candidates are discarded.", { action: again });
    }, () => this.discardCandidates(candidate));
  }

  /** An edit was cancelled: where it has made nothing to choose from, its mask can be sent again. @param {string} job */
  giveBackMask(job) {
    const operations = this.#page.mask.sentFor(job);
    if (operations && !this.#page.staging.shows(job)) this.#page.mask.takeBack(operations);
  }
}
