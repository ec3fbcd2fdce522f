import { defineConfig } from 'vite';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: ['chrome110', 'firefox115', 'safari16.4'],
    // The daemon's Content-Security-Policy allows neither inline scripts nor data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // `npm run dev` beside a running vmrd: VMR_DAEMON=https://127.0.0.1:8443 npm run dev
  server: {
    proxy: {
      '/api': { target: process.env.VMR_DAEMON ?? 'http://127.0.0.1:8080', ws: true, secure: false, changeOrigin: true },
    },
  },
});
