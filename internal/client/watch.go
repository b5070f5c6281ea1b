package client

import (
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// watch is what the timers know of one channel. All times are nanoseconds of the
// session's own clock, which never jumps, and 0 is never.
//
//	silent for dpd ──▶ asked ──(every dpd/2 again)──▶ dead after dpd without anything
//	                     └── anything comes ──▶ quiet again
//
// Nothing is dead that was not asked: after a sleep of this machine the answer has
// its time.
type watch struct {
	heard atomic.Int64 // when something came; once per batch
	asked atomic.Int64 // when the first request was made that nothing came after
	sent  atomic.Int64 // when the last one left
	trip  atomic.Int64 // from a request to its answer
}

// slack is the part of a time by which something is done early when another thing
// has woken the machine anyway: so channels that are idle get into step.
const slack = 16

// hear notes that something came.
func (w *watch) hear(now time.Duration) { w.heard.Store(int64(now)) }

// answered notes an answer to the last request.
func (w *watch) answered(now time.Duration) {
	if sent := w.sent.Swap(0); sent != 0 {
		w.trip.Store(max(int64(now)-sent, 1))
	}
}

// leaves notes that a control frame leaves.
func (w *watch) leaves(typ byte, now time.Duration) {
	if typ == openconnect.TypeDPDRequest {
		w.sent.Store(int64(now))
	}
}

// look says what to do after a time without anything: ask, or give up. It counts
// from when it said so, since a connection that is stuck takes no request.
func (w *watch) look(now, dpd time.Duration) (ask, dead bool) {
	asked, heard := w.asked.Load(), w.heard.Load()
	if asked != 0 && heard > asked {
		w.asked.Store(0)
		asked = 0
	}
	switch {
	case dpd <= 0:
		return false, false
	case asked == 0:
		if ask = now-time.Duration(heard) >= dpd-dpd/slack; ask {
			w.asked.Store(int64(now))
		}
		return ask, false
	case now-time.Duration(asked) >= dpd:
		return false, true
	}
	return now-time.Duration(max(w.sent.Load(), asked)) >= dpd/2, false
}

// due is when look has something to say, if nothing comes before.
func (w *watch) due(dpd time.Duration) time.Duration {
	asked, heard := w.asked.Load(), w.heard.Load()
	switch {
	case dpd <= 0:
		return never
	case asked == 0 || heard > asked:
		return time.Duration(heard) + dpd
	}
	return min(time.Duration(asked)+dpd, time.Duration(max(w.sent.Load(), asked))+dpd/2)
}

// roundTrip is that of the last answer, 0 before the first.
func (w *watch) roundTrip() time.Duration { return time.Duration(w.trip.Load()) }
