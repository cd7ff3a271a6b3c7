//go:build !linux

package main

func withTimerSlack() {}
