package main

// stateDir is where the daemon remembers what it changed.
func stateDir() string { return "/var/lib/skyconnect" }
