package lite

import "modernc.org/libc/sys/types"

func size(n int) types.Size_t { return types.Size_t(n) }
