export {
  MemoryMonitor, isMemorySafeForOperation, emergencyCleanup,
  processInBatches, setQuerySource, paginatedQuery,
  memoryAwareBatchProcessor, processArrayInChunks, clearArrays,
} from './index';
