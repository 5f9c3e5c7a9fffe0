// A module of a host app with a route for administrators.
import 'reflect-metadata';

import { Controller, Get, Module } from '@nestjs/common';

import { RequireRole } from '../../dist/index.js';

class AdminsOnlyController {
  secrets() {
    return { open: true };
  }
}

const { prototype } = AdminsOnlyController;
for (const decorate of [Get('secrets'), RequireRole('admin')]) {
  decorate(prototype, 'secrets', Object.getOwnPropertyDescriptor(prototype, 'secrets'));
}
Controller('api/admins-only')(AdminsOnlyController);

export class AdminsOnlyModule {}
Module({ controllers: [AdminsOnlyController] })(AdminsOnlyModule);
