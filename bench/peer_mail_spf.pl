#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Mail::SPF over the stream, with the orders and answers of the C programs: peer_mail_spf.pl STREAM PORT
use strict;
use warnings;
use Mail::SPF;
use Net::DNS::Resolver;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID);

my ($stream, $port) = @ARGV;
my %letters = (none => 'O', neutral => 'N', pass => 'P', fail => 'F', softfail => 'S', temperror => 'T', permerror => 'E');
open my $file, '<', $stream or die "$stream: $!\n";
my @lines = map { [split] } <$file>;
my $server = Mail::SPF::Server->new(dns_resolver =>
    Net::DNS::Resolver->new(nameservers => ['127.0.0.1'], port => $port, recurse => 1, udppacketsize => 4096));

sub check {
    my ($ip, $sender, $helo) = @_;
    $sender = "postmaster\@$helo" if $sender eq '<>';
    my $request = Mail::SPF::Request->new(scope => 'mfrom', identity => $sender, ip_address => $ip, helo_identity => $helo);
    return $letters{$server->process($request)->code};
}

$| = 1;
while (my $order = <STDIN>) {
    my (undef, $first, $count) = split ' ', $order;
    my (@results, @elapsed);
    my ($wall, $cpu) = (clock_gettime(CLOCK_MONOTONIC), clock_gettime(CLOCK_PROCESS_CPUTIME_ID));
    for my $number ($first .. $first + $count - 1) {
        my $start = clock_gettime(CLOCK_MONOTONIC);
        push @results, check(@{$lines[$number % @lines]});
        push @elapsed, int((clock_gettime(CLOCK_MONOTONIC) - $start) * 1e6);
    }
    ($wall, $cpu) = (clock_gettime(CLOCK_MONOTONIC) - $wall, clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $cpu);
    printf '{"checks": %d, "wall_us": %.1f, "cpu_us": %.1f, "queries": 0, "heap_peak": 0, "results": "%s", "elapsed_us": [%s]}' . "\n",
        $count, $wall * 1e6, $cpu * 1e6, join('', @results), join(',', @elapsed);
}
