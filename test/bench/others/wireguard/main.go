// Command wireguard runs one end of a tunnel of wireguard-go: the library as it
// is, with keys and peer from the command line in place of the tool wg.
//
//	wireguard -tun wg0 -private HEX -public HEX [-listen 5555] [-endpoint HOST:PORT] -allowed CIDR,CIDR
//	wireguard -key                       prints a private and its public key
package main

import (
	"crypto/ecdh"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/tun"
)

func main() {
	name := flag.String("tun", "wg0", "tunnel device")
	private := flag.String("private", "", "our private key, hex")
	public := flag.String("public", "", "the peer's public key, hex")
	listen := flag.Int("listen", 0, "UDP port")
	endpoint := flag.String("endpoint", "", "the peer's address")
	allowed := flag.String("allowed", "", "networks behind the peer")
	key := flag.Bool("key", false, "print a pair of keys and end")
	flag.Parse()
	if *key {
		printKeys()
		return
	}
	dev, err := tun.CreateTUN(*name, 1400)
	if err != nil {
		log.Fatal(err)
	}
	d := device.NewDevice(dev, conn.NewDefaultBind(), device.NewLogger(device.LogLevelSilent, ""))
	lines := []string{"private_key=" + *private, fmt.Sprintf("listen_port=%d", *listen), "public_key=" + *public}
	if *endpoint != "" {
		lines = append(lines, "endpoint="+*endpoint)
	}
	for _, a := range strings.Split(*allowed, ",") {
		lines = append(lines, "allowed_ip="+a)
	}
	if err := d.IpcSet(strings.Join(lines, "\n") + "\n"); err != nil {
		log.Fatal(err)
	}
	if err := d.Up(); err != nil {
		log.Fatal(err)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	<-end
	d.Close()
}

func printKeys() {
	k, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x %x\n", k.Bytes(), k.PublicKey().Bytes())
}
