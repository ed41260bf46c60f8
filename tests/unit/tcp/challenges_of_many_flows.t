# SPDX-License-Identifier: BSD-2-Clause
# All flows together get a hundred challenges in a second.
senders 1 110 1
guest:1 > S 5000
guest:1 < . 1:1 ack 2
guest:2 > S 5000
guest:2 < . 1:1 ack 2
guest:3 > S 5000
guest:3 < . 1:1 ack 2
guest:4 > S 5000
guest:4 < . 1:1 ack 2
guest:5 > S 5000
guest:5 < . 1:1 ack 2
guest:6 > S 5000
guest:6 < . 1:1 ack 2
guest:7 > S 5000
guest:7 < . 1:1 ack 2
guest:8 > S 5000
guest:8 < . 1:1 ack 2
guest:9 > S 5000
guest:9 < . 1:1 ack 2
guest:10 > S 5000
guest:10 < . 1:1 ack 2
guest:11 > S 5000
guest:11 < . 1:1 ack 2
guest:12 > S 5000
guest:12 < . 1:1 ack 2
guest:13 > S 5000
guest:13 < . 1:1 ack 2
guest:14 > S 5000
guest:14 < . 1:1 ack 2
guest:15 > S 5000
guest:15 < . 1:1 ack 2
guest:16 > S 5000
guest:16 < . 1:1 ack 2
guest:17 > S 5000
guest:17 < . 1:1 ack 2
guest:18 > S 5000
guest:18 < . 1:1 ack 2
guest:19 > S 5000
guest:19 < . 1:1 ack 2
guest:20 > S 5000
guest:20 < . 1:1 ack 2
guest:21 > S 5000
guest:21 < . 1:1 ack 2
guest:22 > S 5000
guest:22 < . 1:1 ack 2
guest:23 > S 5000
guest:23 < . 1:1 ack 2
guest:24 > S 5000
guest:24 < . 1:1 ack 2
guest:25 > S 5000
guest:25 < . 1:1 ack 2
guest:26 > S 5000
guest:26 < . 1:1 ack 2
guest:27 > S 5000
guest:27 < . 1:1 ack 2
guest:28 > S 5000
guest:28 < . 1:1 ack 2
guest:29 > S 5000
guest:29 < . 1:1 ack 2
guest:30 > S 5000
guest:30 < . 1:1 ack 2
guest:31 > S 5000
guest:31 < . 1:1 ack 2
guest:32 > S 5000
guest:32 < . 1:1 ack 2
guest:33 > S 5000
guest:33 < . 1:1 ack 2
guest:34 > S 5000
guest:34 < . 1:1 ack 2
guest:35 > S 5000
guest:35 < . 1:1 ack 2
guest:36 > S 5000
guest:36 < . 1:1 ack 2
guest:37 > S 5000
guest:37 < . 1:1 ack 2
guest:38 > S 5000
guest:38 < . 1:1 ack 2
guest:39 > S 5000
guest:39 < . 1:1 ack 2
guest:40 > S 5000
guest:40 < . 1:1 ack 2
guest:41 > S 5000
guest:41 < . 1:1 ack 2
guest:42 > S 5000
guest:42 < . 1:1 ack 2
guest:43 > S 5000
guest:43 < . 1:1 ack 2
guest:44 > S 5000
guest:44 < . 1:1 ack 2
guest:45 > S 5000
guest:45 < . 1:1 ack 2
guest:46 > S 5000
guest:46 < . 1:1 ack 2
guest:47 > S 5000
guest:47 < . 1:1 ack 2
guest:48 > S 5000
guest:48 < . 1:1 ack 2
guest:49 > S 5000
guest:49 < . 1:1 ack 2
guest:50 > S 5000
guest:50 < . 1:1 ack 2
guest:51 > S 5000
guest:51 < . 1:1 ack 2
guest:52 > S 5000
guest:52 < . 1:1 ack 2
guest:53 > S 5000
guest:53 < . 1:1 ack 2
guest:54 > S 5000
guest:54 < . 1:1 ack 2
guest:55 > S 5000
guest:55 < . 1:1 ack 2
guest:56 > S 5000
guest:56 < . 1:1 ack 2
guest:57 > S 5000
guest:57 < . 1:1 ack 2
guest:58 > S 5000
guest:58 < . 1:1 ack 2
guest:59 > S 5000
guest:59 < . 1:1 ack 2
guest:60 > S 5000
guest:60 < . 1:1 ack 2
guest:61 > S 5000
guest:61 < . 1:1 ack 2
guest:62 > S 5000
guest:62 < . 1:1 ack 2
guest:63 > S 5000
guest:63 < . 1:1 ack 2
guest:64 > S 5000
guest:64 < . 1:1 ack 2
guest:65 > S 5000
guest:65 < . 1:1 ack 2
guest:66 > S 5000
guest:66 < . 1:1 ack 2
guest:67 > S 5000
guest:67 < . 1:1 ack 2
guest:68 > S 5000
guest:68 < . 1:1 ack 2
guest:69 > S 5000
guest:69 < . 1:1 ack 2
guest:70 > S 5000
guest:70 < . 1:1 ack 2
guest:71 > S 5000
guest:71 < . 1:1 ack 2
guest:72 > S 5000
guest:72 < . 1:1 ack 2
guest:73 > S 5000
guest:73 < . 1:1 ack 2
guest:74 > S 5000
guest:74 < . 1:1 ack 2
guest:75 > S 5000
guest:75 < . 1:1 ack 2
guest:76 > S 5000
guest:76 < . 1:1 ack 2
guest:77 > S 5000
guest:77 < . 1:1 ack 2
guest:78 > S 5000
guest:78 < . 1:1 ack 2
guest:79 > S 5000
guest:79 < . 1:1 ack 2
guest:80 > S 5000
guest:80 < . 1:1 ack 2
guest:81 > S 5000
guest:81 < . 1:1 ack 2
guest:82 > S 5000
guest:82 < . 1:1 ack 2
guest:83 > S 5000
guest:83 < . 1:1 ack 2
guest:84 > S 5000
guest:84 < . 1:1 ack 2
guest:85 > S 5000
guest:85 < . 1:1 ack 2
guest:86 > S 5000
guest:86 < . 1:1 ack 2
guest:87 > S 5000
guest:87 < . 1:1 ack 2
guest:88 > S 5000
guest:88 < . 1:1 ack 2
guest:89 > S 5000
guest:89 < . 1:1 ack 2
guest:90 > S 5000
guest:90 < . 1:1 ack 2
guest:91 > S 5000
guest:91 < . 1:1 ack 2
guest:92 > S 5000
guest:92 < . 1:1 ack 2
guest:93 > S 5000
guest:93 < . 1:1 ack 2
guest:94 > S 5000
guest:94 < . 1:1 ack 2
guest:95 > S 5000
guest:95 < . 1:1 ack 2
guest:96 > S 5000
guest:96 < . 1:1 ack 2
guest:97 > S 5000
guest:97 < . 1:1 ack 2
guest:98 > S 5000
guest:98 < . 1:1 ack 2
guest:99 > S 5000
guest:99 < . 1:1 ack 2
guest:100 > S 5000
guest:100 < . 1:1 ack 2
guest:101 > S 5000
guest:102 > S 5000
guest:103 > S 5000
guest:104 > S 5000
guest:105 > S 5000
guest:106 > S 5000
guest:107 > S 5000
guest:108 > S 5000
guest:109 > S 5000
guest:110 > S 5000
counter challenges 100
counter answers_held_back 10
+1 s
guest:110 > S 5000
guest:110 < . 1:1 ack 2
