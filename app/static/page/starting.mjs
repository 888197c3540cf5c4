/** On the starting page: shows the real one, or what went wrong, as soon as there is either. */

const AGAIN_MS = 250;

async function look() {
  try {
    const { page, page_failed: failed } = await (await fetch("api/ready")).json();
    if (page || failed) return location.reload();
  } catch {
    // The server may not answer yet.
  }
  setTimeout(look, AGAIN_MS);
}

void look();
