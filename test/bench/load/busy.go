package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/client"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

const (
	segmentSize = 1348
	perFrame    = 32 // segments of a super-packet
	manyWindow  = 1  // super-packets of each client under way
	oneWindow   = 8  // of a single one
	giveUp      = 100 * time.Millisecond
	warmUp      = time.Second
	rounds      = 5
)

// busy lets clients send super-packets that the gateway's device sends back, as
// many as a window allows, and compares many clients with one, in rounds.
func busy(n int, length time.Duration) ([]figure, error) {
	g, err := startGateway(n, "")
	if err != nil {
		return nil, err
	}
	var ratios, jains, ones, sums []float64
	for range rounds {
		one, err := drive(g, 1, oneWindow, length)
		if err != nil {
			return nil, errors.Join(err, g.stop())
		}
		many, err := drive(g, n, manyWindow, length)
		if err != nil {
			return nil, errors.Join(err, g.stop())
		}
		sum, jain := fairness(many)
		ratios, jains = append(ratios, sum/one[0]), append(jains, jain)
		ones, sums = append(ones, one[0]/1e6), append(sums, sum/1e6)
	}
	more := map[string]float64{"one_mbit": median(ones), "many_mbit": median(sums), "clients": float64(n), "rounds": rounds}
	return []figure{
		{Row: "8", Name: "busy-aggregate", Unit: "ratio", Value: median(ratios), Goal: ">= 0.9", More: more},
		{Row: "8", Name: "busy-fairness", Unit: "jain", Value: median(jains), Goal: ">= 0.95", More: more},
	}, g.stop()
}

// fairness is the sum of rates and their index by Jain: 1 if all are equal, 1/n
// if one has everything.
func fairness(rates []float64) (sum, jain float64) {
	squares := 0.0
	for _, v := range rates {
		sum += v
		squares += v * v
	}
	return sum, sum * sum / (float64(len(rates)) * squares)
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// drive runs n clients and returns the rate of each, in bit/s that came
// back.
func drive(g *child, n, window int, length time.Duration) ([]float64, error) {
	ctx, stop := context.WithCancel(context.Background())
	devices := make([]*generator, n)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for i := range n {
		cookie, err := g.login(ctx, i)
		if err != nil {
			return nil, fmt.Errorf("client %d: %w", i, err)
		}
		d := newGenerator(window)
		d.link = client.NewLink(g.cfg, cookie, d.open)
		devices[i] = d
		wg.Go(func() { _ = d.link.Run(ctx) }) // it ends when we say so
	}
	for _, d := range devices {
		for d.link.Snapshot().Channel != "dtls" {
			time.Sleep(10 * time.Millisecond)
		}
		close(d.start)
	}
	time.Sleep(warmUp)
	before := make([]uint64, n)
	for i, d := range devices {
		before[i] = d.back.Load()
	}
	begin := time.Now()
	time.Sleep(length)
	rates := make([]float64, n)
	for i, d := range devices {
		rates[i] = float64(d.back.Load()-before[i]) * 8 / time.Since(begin).Seconds()
	}
	return rates, nil
}

// generator is the device of a client: it has a super-packet whenever the window
// is open, and counts what comes back.
type generator struct {
	link    *client.Link
	frame   []byte
	start   chan struct{}
	credit  chan struct{} // one for each super-packet that may be sent
	back    atomic.Uint64 // bytes
	pending int           // bytes that came back beyond whole super-packets
	done    chan struct{}
	once    sync.Once
}

func newGenerator(window int) *generator {
	d := &generator{start: make(chan struct{}), credit: make(chan struct{}, window), done: make(chan struct{})}
	for range window {
		d.credit <- struct{}{}
	}
	return d
}

// open is the client's Opener.
func (d *generator) open(t openconnect.Tunnel) ([]tun.Queue, error) {
	d.frame = super(t.IPv4.Addr())
	return []tun.Queue{d}, nil
}

// ReadFrames implements tun.Queue. When nothing comes back for a while it was
// lost, and the window opens again.
func (d *generator) ReadFrames(buf []byte, frames [][]byte) ([][]byte, error) {
	select {
	case <-d.start:
	case <-d.done:
		return nil, os.ErrClosed
	}
	for {
		select {
		case <-d.credit:
			return append(frames[:0], buf[:copy(buf, d.frame)]), nil
		case <-time.After(giveUp):
			for range cap(d.credit) {
				select {
				case d.credit <- struct{}{}:
				default:
				}
			}
		case <-d.done:
			return nil, os.ErrClosed
		}
	}
}

// WriteFrame implements tun.Queue; one goroutine of the client calls it.
func (d *generator) WriteFrame(parts [][]byte) error {
	n := -tun.HeaderLen
	for _, p := range parts {
		n += len(p)
	}
	d.back.Add(uint64(n))
	for d.pending += n; d.pending >= len(d.frame)-tun.HeaderLen; d.pending -= len(d.frame) - tun.HeaderLen {
		select {
		case d.credit <- struct{}{}:
		default:
		}
	}
	return nil
}

// Close implements tun.Queue.
func (d *generator) Close() error {
	d.once.Do(func() { close(d.done) })
	return nil
}

// super is a frame of TCP segments from a client to the LAN, with the checksum
// left to do as a kernel leaves it.
func super(from netip.Addr) []byte {
	f := make([]byte, tun.HeaderLen+40+segmentSize*perFrame)
	le, be := binary.LittleEndian, binary.BigEndian
	f[0], f[1] = 1, 1 // checksum needed, TCPv4
	le.PutUint16(f[2:], 40)
	le.PutUint16(f[4:], segmentSize)
	le.PutUint16(f[6:], 20)
	le.PutUint16(f[8:], 16)
	p := f[tun.HeaderLen:]
	p[0], p[8], p[9] = 0x45, 64, 6
	be.PutUint16(p[2:], uint16(len(p)))
	a := from.As4()
	copy(p[12:], a[:])
	copy(p[16:], []byte{10, 77, 0, 2})
	p[32], p[33] = 5<<4, 0x10 // ACK
	return f
}

// newReflector returns the queues of a device that sends what is written to it
// back to where it came from.
func newReflector(queues int) []tun.Queue {
	out := make([]tun.Queue, queues)
	r := &reflector{frames: make(chan []byte, 1024), free: make(chan []byte, 1024), done: make(chan struct{})}
	for i := range out {
		out[i] = r
	}
	return out
}

type reflector struct {
	frames, free chan []byte
	done         chan struct{}
	once         sync.Once
}

// WriteFrame implements tun.Queue. A full device loses what comes.
func (r *reflector) WriteFrame(parts [][]byte) error {
	var b []byte
	select {
	case b = <-r.free:
	default:
	}
	b = b[:0]
	for _, p := range parts {
		b = append(b, p...)
	}
	if p := b[tun.HeaderLen:]; len(p) >= 20 {
		var src [4]byte
		copy(src[:], p[12:])
		copy(p[12:16], p[16:20])
		copy(p[16:20], src[:]) // sums stay as they are
	}
	select {
	case r.frames <- b:
	default:
	}
	return nil
}

// ReadFrames implements tun.Queue.
func (r *reflector) ReadFrames(buf []byte, frames [][]byte) ([][]byte, error) {
	frames = frames[:0]
	select {
	case b := <-r.frames:
		frames, buf = r.take(b, buf, frames)
	case <-r.done:
		return nil, os.ErrClosed
	}
	for len(buf) >= tun.MaxFrame && len(frames) < cap(frames) {
		select {
		case b := <-r.frames:
			frames, buf = r.take(b, buf, frames)
		default:
			return frames, nil
		}
	}
	return frames, nil
}

func (r *reflector) take(b, buf []byte, frames [][]byte) (more [][]byte, rest []byte) {
	n := copy(buf, b)
	select {
	case r.free <- b:
	default:
	}
	return append(frames, buf[:n:n]), buf[n:]
}

// Close implements tun.Queue.
func (r *reflector) Close() error {
	r.once.Do(func() { close(r.done) })
	return nil
}
