export {
  createMemoryManager, memoryManager, heapAnalyzer, batchOptimizer,
  MemoryManager, HeapAnalyzer, BatchOptimizer,
} from './index';
import { Trend } from './index';
/** By Theil and Sen, and Mann and Kendall; at: ms, used: bytes. */
export function trendOf(samples: Array<{ at: number; used: number }>): Trend;
