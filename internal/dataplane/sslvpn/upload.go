package sslvpn

import (
	"sync/atomic"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/tun"
)

// uploadDepth is how many batches may wait for a gateway's device.
const uploadDepth = 8

// upload is one gateway's share of a received batch of datagrams: packets that
// passed its filter, in the batch's own buffers.
type upload struct {
	packets [][]byte
	batch   *udpBatch
}

// inject writes uploads to the device, so that the next batch is received and
// decrypted meanwhile. It never waits for a rate, since it holds buffers that
// all gateways of a port receive into: what has a rate goes by the pacer.
func (g *gateway) inject() {
	w := tun.NewWriter(g.queues[0])
	for {
		select {
		case u := <-g.uploads:
			if err := w.Write(u.packets); err != nil {
				g.log.Debug("writing to the tunnel device", "gateway", g.id, "error", err)
			}
			u.batch.release()
		case <-g.stop:
			return
		}
	}
}

// give hands a share over, or gives its batch back: to a busy gateway, whose
// packets are lost, and to one that has stopped, which takes nothing more.
func (g *gateway) give(u *upload) {
	g.giving.RLock()
	defer g.giving.RUnlock()
	if !g.stopped {
		select {
		case g.uploads <- u:
			return
		default:
		}
	}
	u.batch.release()
}

// giveBack returns the batches of shares that a stopped gateway has not written.
func (g *gateway) giveBack() {
	for {
		select {
		case u := <-g.uploads:
			u.batch.release()
		default:
			return
		}
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
	u.packets = u.packets[:0]
	return u
}

// release gives up one reference.
func (b *udpBatch) release() {
	if b.refs.Add(-1) == 0 {
		b.used = 0
		b.free <- b
	}
}
