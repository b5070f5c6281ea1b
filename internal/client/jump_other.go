//go:build !linux

package client

func watchClock(to chan<- struct{}) (stop func()) { return pollClock(to) }
