const pauses = [300, 1500]; // ms

/**
 * Loads a part of the console, and again when it did not come: a browser drops what is under way
 * when the network changes, which is what a VPN that comes up does.
 */
export async function again<T>(load: () => Promise<T>): Promise<T> {
  for (const pause of pauses) {
    try {
      return await load();
    } catch {
      await new Promise((done) => setTimeout(done, pause));
    }
  }
  return load();
}
