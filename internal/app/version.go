package app

import (
	"runtime"
	"runtime/debug"
)

// Version names this build: the revision it was made from and the compiler.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12] + " " + runtime.Version()
		}
	}
	return info.Main.Version + " " + runtime.Version()
}
