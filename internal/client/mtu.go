package client

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// The path of the UDP channel is measured before data goes by it, as stock clients
// do: a DPD request as long as a packet of a size comes back as long as it was, or
// does not come back.
const (
	probeTries    = 3
	probeShortest = 50 * time.Millisecond // to wait for an answer
	probeLongest  = time.Second
	mtuLimit      = 10 * time.Second
	leastMTU      = 576
	leastIPv6MTU  = 1280 // RFC 8200 section 5
	echoesAhead   = 16
)

// errNarrow says that the path carries no packets that could be of use.
var errNarrow = errors.New("client: the UDP path carries no full packets")

// echo is an answer to a probe.
type echo struct {
	size int
	id   uint32
}

// echo notes an answer to a DPD request.
func (u *udpSide) echo(payload []byte) {
	e := echo{size: len(payload)}
	if len(payload) >= 4 {
		e.id = binary.BigEndian.Uint32(payload)
	}
	select {
	case u.echoes <- e:
	default:
	}
}

// prober measures one path.
type prober struct {
	s    *Session
	u    *udpSide
	id   uint32
	wait time.Duration // for an answer; the handshake took a round trip at least
	best int           // largest size that came back
	dumb bool          // answers come that are no echoes
	end  time.Time
}

// findMTU measures the path and tells what it carries: the tunnel's MTU or less.
// A path that carries too little for what the tunnel has, or nothing, is no way
// for data.
func (s *Session) findMTU(u *udpSide) error {
	least := leastMTU
	if s.tunnel.IPv6.IsValid() {
		least = leastIPv6MTU
	}
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	p := &prober{
		s: s, u: u, id: binary.BigEndian.Uint32(id[:]), end: time.Now().Add(mtuLimit),
		wait: min(max(u.shaken, probeShortest), probeLongest),
	}
	mtu, err := p.search(min(least, s.tunnel.MTU), s.tunnel.MTU)
	if err != nil {
		return err
	}
	if s.onMTU != nil {
		return s.onMTU(mtu)
	}
	return nil
}

// search finds the largest size between least and most that comes back.
func (p *prober) search(least, most int) (int, error) {
	ok, err := p.passes(most)
	if err != nil || ok {
		return most, err
	}
	if ok, err = p.passes(least); err != nil {
		return 0, err
	}
	switch {
	case p.best == most: // it came late
		return most, nil
	case !ok && p.dumb: // it is alive, and does not echo
		return most, nil
	case !ok:
		return 0, errNarrow
	}
	for least+1 < most && time.Now().Before(p.end) {
		size := (least + most) / 2
		if ok, err = p.passes(size); err != nil {
			return 0, err
		}
		if least = max(least, p.best); !ok && least < size {
			most = size
		}
	}
	return least, nil
}

// passes tells whether a packet of a size, or a larger one, came back.
func (p *prober) passes(size int) (bool, error) {
	probe := make([]byte, size)
	binary.BigEndian.PutUint32(probe, p.id+uint32(size))
	for range probeTries {
		p.s.tell(p.u, openconnect.TypeDPDRequest, probe)
		late := time.After(p.wait)
		for waiting := true; waiting; {
			select {
			case e := <-p.u.echoes:
				p.take(e)
				waiting = p.best < size
			case <-late:
				waiting = false
			case <-p.s.done:
				return false, net.ErrClosed
			}
		}
		if p.best >= size {
			return true, nil
		}
	}
	return false, nil
}

func (p *prober) take(e echo) {
	if e.size >= 4 && e.id == p.id+uint32(e.size) {
		p.best = max(p.best, e.size)
	} else {
		p.dumb = true
	}
}
