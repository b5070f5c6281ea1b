package sslvpn

import "github.com/skybridge-cloud/skybridge/internal/dataplane/ban"

// banned says whether this source's logins are refused. Its tunnels and their
// reconnections are not: they are other people's, or the person's own from
// before.
func (h *httpConn) banned() bool { return h.svc.bans.Banned(h.from.Addr(), h.svc.cfg.Clock.Now()) }

// failed counts a wrong factor against the source.
func (h *httpConn) failed() {
	if h.svc.bans.Failed(h.from.Addr(), h.about, h.svc.cfg.Clock.Now()) {
		h.tellBan()
	}
}

// succeeded is a login or a tunnel on this connection.
func (h *httpConn) succeeded() {
	h.fruitful = true
	h.svc.bans.Succeeded(h.from.Addr(), h.svc.cfg.Clock.Now())
}

// weigh counts a connection that has ended and came to nothing. It is counted at
// its end, so that an office whose clients all come back at once is not taken
// for a flood.
func (h *httpConn) weigh() {
	if !h.fruitful && !h.blameless && h.svc.bans.Wasted(h.from.Addr(), h.about, h.svc.cfg.Clock.Now()) {
		h.tellBan()
	}
}

// tellBan tells the operator that a source is banned, not which: an address is
// personal.
func (h *httpConn) tellBan() {
	h.svc.cfg.Log.Warn("logins of one source are refused", "wait", ban.Reset)
}

// pardon lifts what SSL clients earned their sources that control has unlocked
// since the former state of the server.
func (s *Service) pardon(former, now *server) {
	if former == nil {
		return
	}
	for id, c := range now.clients {
		if old, known := former.clients[id]; known && c.Pardoned > old.Pardoned {
			s.bans.Pardon(id)
		}
	}
}
