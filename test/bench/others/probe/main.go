// Command probe is the path of packets without a protocol: a yardstick for the
// benchmark and for nothing else. See the README beside it.
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"flag"
	"log"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/tun"
)

var (
	name   = flag.String("tun", "px", "")
	port   = flag.Int("port", 4444, "")
	remote = flag.String("remote", "", "")
	prof   = flag.String("prof", "", "")
)

const off = 64

type batch struct {
	bufs  [][]byte
	sizes []int
	eps   []conn.Endpoint
	n     int
	out   [][]byte
}

func newBatch(n, size int) *batch {
	b := &batch{bufs: make([][]byte, n), sizes: make([]int, n), eps: make([]conn.Endpoint, n), out: make([][]byte, 0, n)}
	for i := range b.bufs {
		b.bufs[i] = make([]byte, size)
	}
	return b
}

func main() {
	flag.Parse()
	if *prof != "" {
		f, _ := os.Create(*prof)
		pprof.StartCPUProfile(f)
		go func() { time.Sleep(12 * time.Second); pprof.StopCPUProfile(); f.Close() }()
	}
	dev, err := tun.CreateTUN(*name, 1400)
	if err != nil {
		log.Fatal(err)
	}
	bind := conn.NewStdNetBind()
	fns, _, err := bind.Open(uint16(*port))
	if err != nil {
		log.Fatal(err)
	}
	key := make([]byte, 16)
	blk, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(blk)
	var ep atomic.Pointer[conn.Endpoint]
	if *remote != "" {
		e, err := bind.ParseEndpoint(*remote)
		if err != nil {
			log.Fatal(err)
		}
		ep.Store(&e)
	}
	// receive: udp -> open in place -> tun, two goroutines
	for _, fn := range fns {
		free := make(chan *batch, 4)
		full := make(chan *batch, 4)
		for i := 0; i < 4; i++ {
			free <- newBatch(bind.BatchSize(), 65535)
		}
		go func(fn conn.ReceiveFunc) {
			for b := range free {
				k, err := fn(b.bufs, b.sizes, b.eps)
				if err != nil {
					log.Print(err)
					return
				}
				b.n = k
				full <- b
			}
		}(fn)
		go func() {
			nonce := make([]byte, 12)
			for b := range full {
				b.out = b.out[:0]
				for i := 0; i < b.n; i++ {
					p := b.bufs[i][:b.sizes[i]]
					if len(p) < 37 {
						continue
					}
					copy(nonce[4:], p[13:21])
					d, err := aead.Open(p[21:21], nonce, p[21:], p[:13])
					if err != nil {
						continue
					}
					b.out = append(b.out, b.bufs[i][:21+len(d)])
				}
				if b.n > 0 {
					e := b.eps[0]
					if ep.Load() == nil || (*ep.Load()) != e {
						ep.Store(&e)
					}
				}
				if len(b.out) > 0 {
					dev.Write(b.out, 21)
				}
				free <- b
			}
		}()
	}
	n := dev.BatchSize()
	free := make(chan *batch, 4)
	full := make(chan *batch, 4)
	for i := 0; i < 4; i++ {
		free <- newBatch(n, 65535)
	}
	go func() {
		for b := range full {
			if e := ep.Load(); e != nil {
				if err := bind.Send(b.out, *e); err != nil {
					log.Print(err)
				}
			}
			free <- b
		}
	}()
	var seq uint64
	nonce := make([]byte, 12)
	for b := range free {
		k, err := dev.Read(b.bufs, b.sizes, off)
		if err != nil {
			log.Print(err)
		}
		b.out = b.out[:0]
		for i := 0; i < k; i++ {
			seq++
			h := b.bufs[i][off-21 : off]
			binary.BigEndian.PutUint64(h[13:], seq)
			binary.BigEndian.PutUint64(nonce[4:], seq)
			c := aead.Seal(b.bufs[i][off:off], nonce, b.bufs[i][off:off+b.sizes[i]], h[:13])
			b.out = append(b.out, b.bufs[i][off-21:off+len(c)])
		}
		full <- b
	}
}
