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

// As until(), for a process that has just begun: one that does not get there is ended, or the test would wait for it.
export async function started(child, ...condition) {
  try {
    return await until(...condition);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}
