package sslvpn

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/dataplane/session"
	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// losses asks the law once a millisecond for some time, with packets that have
// waited for long.
func losses(q *codel, now time.Time, d, sojourn time.Duration, last bool) (n int) {
	for end := now.Add(d); now.Before(end); now = now.Add(time.Millisecond) {
		n += q.drops(now, sojourn, last, 1000)
	}
	return n
}

func TestCodel(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	const long = 2 * codelTarget
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var q codel
	if n := losses(&q, start, 10*time.Second, codelTarget-1, false); n != 0 {
		t.Errorf("below the target: got %d losses, want none", n)
	}
	if n := losses(&q, start, 10*time.Second, long, true); n != 0 {
		t.Errorf("nothing behind it: got %d losses, want none", n)
	}
	if n := losses(&q, start, codelInterval, long, false); n != 0 {
		t.Errorf("a burst: got %d losses, want none", n)
	}
	if n := losses(&q, at(100), time.Millisecond, long, false); n != 1 {
		t.Errorf("a standing queue: got %d losses after an interval, want 1", n)
	}
	first := losses(&q, at(101), time.Second, long, false)
	second := losses(&q, at(1101), time.Second, long, false)
	if first < 20 || second < first+15 {
		t.Errorf("a queue that goes on standing: got %d losses in the first second and %d in the next, want more and more", first, second)
	}
	if n := q.drops(at(2101), 0, false, 1000); n != 0 || q.dropping {
		t.Errorf("short again: got %d losses, dropping %v", n, q.dropping)
	}
	if n := losses(&q, at(2102), 2*codelInterval, long, false); n < 5 {
		t.Errorf("it stands again at once: got %d losses, want the rate that it ended with", n)
	}
	q = codel{}
	losses(&q, start, 2*codelInterval, long, false)
	before := q.count
	if n := q.drops(at(5000), long, false, 7); n != 7 || q.count != before+7 {
		t.Errorf("taken from again after a long time: got %d losses, counted %d, want the 7 that there are", n, q.count-before)
	}
	if n := q.drops(at(5001), long, false, 7); n != 0 {
		t.Errorf("a moment later: got %d losses, want those of the absence forgotten", n)
	}
	if n := q.drops(at(9000), long, false, 0); n != 0 || q.count != before+7 {
		t.Errorf("nothing that could go: got %d losses, counted %d", n, q.count-before)
	}
}

// window is a sender that heeds loss as TCP does: one packet more in flight each
// round trip, half of them after a loss.
type window struct {
	size     float64
	inFlight int
	cut      time.Time
	acks     []time.Time // to come
}

func (w *window) acknowledged(now time.Time) {
	for len(w.acks) > 0 && !now.Before(w.acks[0]) {
		w.inFlight--
		w.size += 1 / w.size
		w.acks = w.acks[1:]
	}
}

func (w *window) lost(now time.Time, n int) {
	w.inFlight -= n
	if n > 0 && now.Sub(w.cut) > 100*time.Millisecond {
		w.size, w.cut = max(w.size/2, 2), now
	}
}

// TestAQueueToASlowClientStaysShort has a client that takes a packet each
// millisecond, 20 ms away, and a sender that would fill any queue: packets wait
// for little longer than the target, and the client is kept busy.
func TestAQueueToASlowClientStaysShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, way := newDownQueue(func() int { return netio.ChunkSize }), &path{head: openconnect.HeaderLen}
		frame := append(make([]byte, tun.HeaderLen), udpPacket("10.77.0.2", "10.98.0.2", make([]byte, 1200))...)
		var (
			seg    tun.Segments
			sender = window{size: 10}
			seen   uint64
			busy   = time.Now()
			waits  []time.Duration
			served int
		)
		const length = 30_000
		for range length {
			now := time.Now()
			if !now.Before(busy) {
				if _, c, ok := q.take(); ok {
					n := len(c.Items)
					waits, served = append(waits, now.Sub(c.born)), served+n
					for busy = now; n > 0; n-- {
						busy = busy.Add(time.Millisecond)
						sender.acks = append(sender.acks, busy.Add(20*time.Millisecond))
					}
					c.release()
				}
			}
			sender.acknowledged(now)
			sender.lost(now, int(q.dropped-seen))
			seen = q.dropped
			for sender.inFlight < int(sender.size) {
				if err := seg.Reset(frame); err != nil {
					t.Fatal(err)
				}
				q.put(way, &seg)
				sender.inFlight++
			}
			time.Sleep(time.Millisecond)
		}
		slices.Sort(waits)
		median, most := waits[len(waits)/2], waits[len(waits)-1]
		t.Logf("served %d of %d; waited %s in the median, %s at most; %d lost", served, length, median, most, q.dropped)
		if median > codelTarget || most > codelInterval {
			t.Errorf("packets waited %s in the median and %s at most, want %s and %s", median, most, codelTarget, codelInterval)
		}
		if served < length*9/10 {
			t.Errorf("the client got %d packets in a time for %d", served, length)
		}
		q.close()
	})
}

// TestWhatIsDroppedAtTheHeadIsNotCounted: a chunk that lost its first packets
// holds the others, in order, and says so; its memory is whole for the next.
func TestWhatIsDroppedAtTheHeadIsNotCounted(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]netio.Framing{"packets": {}, "super-packets": {GSO: true, Coalesce: true}} {
		q, way := newDownQueue(func() int { return netio.ChunkSize }), &path{channel: session.TLS, framing: f}
		var seg tun.Segments
		for i := range 10 {
			if err := seg.Reset(append(make([]byte, tun.HeaderLen), udpPacket("10.77.0.2", "10.98.0.2", make([]byte, 100+i))...)); err != nil {
				t.Fatal(err)
			}
			q.put(way, &seg)
		}
		before, room := *q.filling, cap(q.filling.Items)
		kept := slices.Clone(before.Items[3:])
		now := before.born.Add(time.Second)
		q.law = codel{above: now, dropping: true, count: 1, next: now.Add(-3 * codelInterval / 2)} // three are due
		q.shortenLocked(q.filling, now)
		c := q.filling
		if !slices.Equal(c.Items, kept) || c.Bytes != before.Bytes-(128+129+130) || cap(c.Items) != room || q.dropped != 3 {
			t.Errorf("%s: got %v, %d bytes of %d, %d dropped; want %v", name, c.Items, c.Bytes, before.Bytes, q.dropped, kept)
		}
		q.close()
	}
}

// TestASlowReaderHoldsNobodyUp has a client that does not read what it is sent,
// over a real connection: it loses packets at a queue that is bounded, good
// clients on both channels lose none, and when it reads again it is served.
func TestASlowReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.echoLAN()
	good := r.bystandTLS("bob")
	other, _ := r.bystandDTLS("cid")
	slow := r.dial(nil)
	_ = slow.raw.(*net.TCPConn).SetReadBuffer(64 << 10)
	inner := slow.connect(slow.login("ann")).Get("X-Cstp-Address")
	lost := func() uint64 { return r.svc.Tally().Drops[DropQueueDown] }
	for end := time.Now().Add(2 * waitLimit); lost() < 1000; {
		for range 100 {
			r.queue.Inject(udpPacket(lanHost, inner, make([]byte, 1300)))
		}
		if time.Now().After(end) {
			t.Fatal("a client that does not read loses nothing")
		}
	}
	good.goesOn(t)
	other.goesOn(t)
	_ = slow.raw.SetDeadline(time.Now().Add(2 * waitLimit))
	for _, c := range r.svc.all() {
		out := c.stream.out
		out.mu.Lock()
		if n := len(out.ready); n > maxReady {
			t.Errorf("got %d chunks waiting for one client, want %d at most", n, maxReady)
		}
		out.mu.Unlock()
	}

	marked := udpPacket(lanHost, inner, []byte("it reads again"))
	stop := make(chan struct{})
	defer close(stop)
	go offer(stop, func() { r.queue.Inject(marked) })
	for {
		f, err := slow.frame()
		if err != nil {
			t.Fatalf("reading again: %v", err)
		}
		if bytes.Equal(f.Payload, marked) {
			break
		}
	}
	good.goesOn(t)
	other.goesOn(t)
}
