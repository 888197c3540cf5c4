/** On the starting page: shows the real one as soon as the server has built it. */

const AGAIN_MS = 250;

async function look() {
  try {
    const { page } = await (await fetch("/api/ready")).json();
    if (page) return location.reload();
  } catch {
    // The server may not answer yet.
  }
  setTimeout(look, AGAIN_MS);
}

void look();
