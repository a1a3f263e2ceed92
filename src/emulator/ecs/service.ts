import type {Service} from '../action.ts';
import {clusterActions} from './cluster-actions.ts';
import {deploymentActions} from './deployment-actions.ts';
import {codes} from './schemas.ts';
import {serviceActions} from './service-actions.ts';
import {taskActions} from './task-actions.ts';
import {taskDefinitionActions} from './task-definition-actions.ts';

export const ecs: Service = {
  name: 'ecs',
  wire: {protocol: 'json', version: '1.1', target: 'AmazonEC2ContainerServiceV20141113'},
  codes,
  actions: {...clusterActions, ...taskDefinitionActions, ...serviceActions, ...taskActions, ...deploymentActions},
};
