//go:build !linux

package fdwait

import "runtime"

// Turn lets other goroutines go first.
func Turn() { runtime.Gosched() }
