package client

const device = "linux-64" // what servers are told this machine is
