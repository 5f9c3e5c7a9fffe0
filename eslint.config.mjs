import tseslint from 'typescript-eslint';

const CLOCK_ONLY = 'Time is an argument, or comes from CLOCK.';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // An `import type` of a class in a decorated signature erases what validation needs; both options let it be.
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-extraneous-class': [
        'error',
        { allowWithDecorator: true, allowStaticOnly: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A DTO is a shape on the wire; class-validator and Swagger need it to be a class.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A row that was just written, an index within bounds: the reason stands beside each.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: CLOCK_ONLY,
        },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK_ONLY },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'The environment is read by platform/config, once.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@nestjs/common',
              importNames: [
                'HttpException',
                'BadRequestException',
                'UnauthorizedException',
                'ForbiddenException',
                'NotFoundException',
                'ConflictException',
                'UnprocessableEntityException',
                'InternalServerErrorException',
              ],
              message: 'Refusals are problems of the catalogue: throw a Problem.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['src/platform/clock.ts', 'src/platform/config/process-environment.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  { files: ['src/platform/http/to-problem.ts'], rules: { 'no-restricted-imports': 'off' } },
  {
    files: ['src/main.ts', 'src/cli.ts', 'examples/*/main.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts', 'src/**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/restrict-plus-operands': 'off',
    },
  },
);
