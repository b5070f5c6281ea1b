package client

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

func TestSilence(t *testing.T) {
	t.Parallel()
	const dpd = 10 * time.Second
	var w watch
	w.hear(time.Second)
	look := func(at time.Duration, wantAsk, wantDead bool) {
		t.Helper()
		if ask, dead := w.look(at, dpd); ask != wantAsk || dead != wantDead {
			t.Errorf("at %s: got ask %t dead %t, want %t %t", at, ask, dead, wantAsk, wantDead)
		}
	}
	look(10*time.Second, false, false)
	look(12*time.Second, true, false)
	w.leaves(openconnect.TypeDPDRequest, 12*time.Second)
	look(14*time.Second, false, false)
	look(17*time.Second, true, false)
	w.leaves(openconnect.TypeDPDRequest, 17*time.Second)
	w.hear(18 * time.Second)
	w.answered(18 * time.Second)
	if got := w.roundTrip(); got != time.Second {
		t.Errorf("got a round trip of %s", got)
	}
	look(19*time.Second, false, false)
	look(time.Hour, true, false) // a sleep: it has to be asked first
	look(time.Hour+dpd/2, true, false)
	look(time.Hour+dpd+1, false, true) // though no request could leave
	if ask, dead := w.look(2*time.Hour, 0); ask || dead {
		t.Error("a server without DPD was asked")
	}
}

func TestTriesGrowRare(t *testing.T) {
	t.Parallel()
	var b backoff
	b.reset()
	if got := b.next(); got != 0 {
		t.Errorf("the first: got %s", got)
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		want *= time.Second
		if got := b.next(); got > want || got < want*3/4 {
			t.Errorf("got %s, want about %s", got, want)
		}
	}
	b.reset()
	if got := b.next(); got != 0 {
		t.Errorf("after a reset: got %s", got)
	}
}

// TestThePathIsMeasured against peers of all kinds.
func TestThePathIsMeasured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		path   int  // what it carries
		empty  bool // the peer answers without an echo
		late   bool // answers come after the next probe
		want   int
		narrow bool
	}{
		{"wide", 1500, false, false, 1400, false},
		{"just", 1400, false, false, 1400, false},
		{"narrow", 1333, false, false, 1333, false},
		{"as narrow as may be", 576, false, false, 576, false},
		{"too narrow", 500, false, false, 0, true},
		{"no echo", 1500, true, false, 1400, false},
		{"late", 1500, false, true, 1400, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &Session{notes: make(chan note, notesAhead), done: make(chan struct{})}
			u := &udpSide{echoes: make(chan echo, echoesAhead)}
			p := &prober{s: s, u: u, id: 7, wait: 5 * time.Millisecond, end: time.Now().Add(waitLimit)}
			over := make(chan struct{})
			answered := make(chan struct{})
			go func() {
				defer close(answered)
				var held []byte
				for {
					select {
					case n := <-s.notes:
						if n.typ != openconnect.TypeDPDRequest || len(n.payload) > c.path {
							continue
						}
						answer := n.payload
						if c.empty {
							answer = nil
						}
						if c.late {
							answer, held = held, answer
							if answer == nil {
								continue
							}
						}
						u.echo(answer)
					case <-over:
						return
					}
				}
			}()
			got, err := p.search(576, 1400)
			close(over)
			<-answered
			if got != c.want || errors.Is(err, errNarrow) != c.narrow {
				t.Errorf("got %d, %v; want %d", got, err, c.want)
			}
		})
	}
	u := &udpSide{echoes: make(chan echo, 1)}
	u.echo(binary.BigEndian.AppendUint32(nil, 9))
	u.echo(nil) // one too many is lost, nothing waits
	if e := <-u.echoes; e.size != 4 || e.id != 9 {
		t.Errorf("got %+v", e)
	}
}
