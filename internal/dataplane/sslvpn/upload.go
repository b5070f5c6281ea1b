package sslvpn

import (
	"sync/atomic"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// uploadDepth is how many batches may wait for a gateway's device.
const uploadDepth = 8

// upload is one gateway's share of a received batch of datagrams: packets that
// passed its filter, in the batch's own buffers.
type upload struct {
	packets [][]byte
	bytes   int
	batch   *udpBatch
}

// inject writes uploads to the device, so that the next batch is received and
// decrypted meanwhile. A gateway over its rate is held back here: its channel
// fills and its packets are dropped, those of others are not.
func (g *gateway) inject() {
	w := tun.NewWriter(g.queues[0])
	for {
		select {
		case u := <-g.uploads:
			if !g.hold(u.bytes) {
				return
			}
			if err := w.Write(u.packets); err != nil {
				g.log.Debug("writing to the tunnel device", "gateway", g.id, "error", err)
			}
			u.batch.release()
		case <-g.stop:
			return
		}
	}
}

// hold waits until n bytes may pass to the VPC; false when the gateway stops.
func (g *gateway) hold(n int) bool {
	wait := g.up.Reserve(time.Now(), n)
	if wait == 0 {
		return true
	}
	select {
	case <-time.After(wait):
		return true
	case <-g.stop:
		return false
	}
}

// udpBatch is a received batch on its way through opening and injection. It
// goes back to its receiver when the last gateway's share is written.
type udpBatch struct {
	*netio.Buffers
	refs    atomic.Int32
	free    chan<- *udpBatch
	uploads []*upload // one per gateway of this batch, kept for reuse
	used    int
}

// share returns a further upload of this batch, for one more gateway.
func (b *udpBatch) share() *upload {
	if b.used == len(b.uploads) {
		b.uploads = append(b.uploads, &upload{batch: b, packets: make([][]byte, 0, 256)})
	}
	u := b.uploads[b.used]
	b.used++
	u.packets, u.bytes = u.packets[:0], 0
	return u
}

// release gives up one reference.
func (b *udpBatch) release() {
	if b.refs.Add(-1) == 0 {
		b.used = 0
		b.free <- b
	}
}
