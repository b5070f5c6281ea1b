package sslvpn

const (
	protoTCP  = 6
	flagACK   = 0x10
	plainMask = 0x2f // FIN, SYN, RST, PSH and URG
)

// isAck tells whether an IP packet is a whole TCP segment that only
// acknowledges: it may overtake others of its connection, and is small.
func isAck(p []byte) bool {
	from, to := 0, 0
	switch {
	case len(p) >= 40 && p[0]>>4 == 4 && p[9] == protoTCP && p[6]&0x3f|p[7] == 0: // no fragment
		from, to = int(p[0]&15)*4, int(p[2])<<8|int(p[3])
	case len(p) >= 60 && p[0]>>4 == 6 && p[6] == protoTCP:
		from, to = 40, 40+(int(p[4])<<8|int(p[5]))
	}
	if to > len(p) || to-from < 20 {
		return false
	}
	tcp := p[from:to]
	return tcp[13]&(flagACK|plainMask) == flagACK && int(tcp[12]>>4)*4 == len(tcp)
}

// isChatter tells whether an IP packet is what IPv6 neighbours say by
// themselves: neighbour, router and multicast listener messages. It is no
// activity of a person.
func isChatter(p []byte) bool {
	if len(p) < 48 || p[0]>>4 != 6 {
		return false
	}
	next, at := p[6], 40
	if next == 0 { // hop-by-hop options, as before multicast listener reports
		next, at = p[40], 48+int(p[41])*8
	}
	return next == 58 && at < len(p) && (p[at] >= 130 && p[at] <= 137 || p[at] == 143)
}
