import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** Ships the typeface's licence with the built app; the scripts' own licences come from `build.license`. */
function typefaceLicence(): Plugin {
  return {
    name: 'typeface-licence',
    apply: 'build',
    generateBundle() {
      const licence = new URL('node_modules/@fontsource-variable/geist/LICENSE', import.meta.url)
      this.emitFile({ type: 'asset', fileName: 'licence-typeface.txt', source: readFileSync(licence, 'utf8') })
    },
  }
}

export default defineConfig({
  plugins: [react(), typefaceLicence()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  build: {
    outDir: 'dist',
    // The keeper's policy refuses inline data except images, so nothing is inlined.
    assetsInlineLimit: 0,
    cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
    license: { fileName: 'licences.md' },
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:9464' } },
})
