import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// VMR_PORTAL is the portal's source folder (meson sets it); beside this one in the tree otherwise.
const portal = process.env.VMR_PORTAL ?? fileURLToPath(new URL('../../portal', import.meta.url));

export default defineConfig({
  resolve: { alias: { '@portal': `${portal}/src` } },
  test: { include: ['unit/**/*.test.ts'], environment: 'node', testTimeout: 5000 },
});
