// Waits for a condition, never for a time: polls until `condition` is true, and says what was seen if it never is.
export async function until(condition, milliseconds = 10_000, describe = () => '') {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) {
      throw new Error(`not within ${milliseconds} ms: ${condition} ${await describe()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
