import { BatchProcessor } from './index';
export = BatchProcessor;
