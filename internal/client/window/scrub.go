package window

import (
	"runtime"
	"runtime/debug"
	"sync"

	"gioui.org/op"
)

// The toolkit keeps what was typed between two frames for input methods, as texts of
// its own that nobody can overwrite: a password that comes faster than frames are
// drawn, such as from a program that types it, lies whole in memory that nobody refers
// to after the next frame. That memory is taken once more, and so overwritten.

// scrubbed bounds what is overwritten, in bytes: such a text has four for each letter,
// and room to grow.
const scrubbed = 8 * maxSecret

// scrubs has freed memory overwritten once the toolkit has let go of what was typed
// into an input for secrets that is empty now.
func (u *UI) scrubs(gtx C) {
	for _, s := range u.secrets {
		if s.emptied {
			s.emptied, u.scrubIn = false, 2
		}
	}
	if u.scrubIn == 0 {
		return
	}
	if u.scrubIn--; u.scrubIn == 0 {
		u.start(scrub)
		return
	}
	gtx.Execute(op.InvalidateCmd{})
}

// scrub overwrites free memory of the sizes that small texts have: of each, as many
// pieces are taken as there can be free ones, and an allocation is zeroed. Each
// processor of the runtime has free pieces of its own, so that each takes its part.
func scrub() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	free := m.HeapInuse - min(m.HeapAlloc, m.HeapInuse)
	var here, all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		here.Add(1)
		all.Go(func() {
			here.Done()
			here.Wait()
			for _, class := range m.BySize {
				if class.Size > 0 && class.Size <= scrubbed {
					take(free, class.Size)
				}
			}
		})
	}
	all.Wait()
	debug.FreeOSMemory()
}

// take takes free bytes of memory in pieces of size, and lets go of all at the end.
func take(free uint64, size uint32) {
	taken := make([][]byte, 0, free/uint64(size)+1)
	for range cap(taken) {
		taken = append(taken, make([]byte, size))
	}
	runtime.KeepAlive(taken)
}
