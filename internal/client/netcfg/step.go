package netcfg

import (
	"strconv"
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

var steps atomic.Int64

// step lies before and after every change of the host. In a build for tests the
// n-th of a process is the fault point "hostnet-n", so that a test can kill it
// at each without a list of them; in every other build it does nothing.
func step() {
	if fault.Enabled {
		fault.Point("hostnet-" + strconv.FormatInt(steps.Add(1), 10))
	}
}
