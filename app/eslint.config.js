import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

/** Refuses imports against the one direction: lib, components, features, routes. */
const layer = (files, ...banned) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: banned.map((group) => ({ group: [group] })) }] },
})

const features = ['act', 'assets', 'changes', 'events', 'exit', 'keepers', 'lab', 'live', 'pauses', 'reserve', 'rules', 'status', 'vaults']
/** Refuses imports from one feature into another. */
const isolated = features.map((name) =>
  layer(
    [`src/features/${name}/**`],
    '@/routes/*',
    ...features.filter((other) => other !== name).map((other) => `@/features/${other}/**`),
  ),
)

export default tseslint.config(
  { ignores: ['node_modules', 'dist', 'src/generated'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['src/**/*.{ts,tsx}'] })),
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...hooks.configs['recommended-latest'].rules,
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
    },
  },
  layer(['src/lib/**'], '@/components/**', '@/features/**', '@/routes/*', 'react'),
  layer(['src/components/**'], '@/features/**', '@/routes/*'),
  ...isolated,
)
