# SPDX-License-Identifier: BSD-2-Clause
# A scan of closed ports gets a hundred resets in a second.
guest:1 > . 77 ack 5
guest:1 < R 5:5
guest:2 > . 77 ack 5
guest:2 < R 5:5
guest:3 > . 77 ack 5
guest:3 < R 5:5
guest:4 > . 77 ack 5
guest:4 < R 5:5
guest:5 > . 77 ack 5
guest:5 < R 5:5
guest:6 > . 77 ack 5
guest:6 < R 5:5
guest:7 > . 77 ack 5
guest:7 < R 5:5
guest:8 > . 77 ack 5
guest:8 < R 5:5
guest:9 > . 77 ack 5
guest:9 < R 5:5
guest:10 > . 77 ack 5
guest:10 < R 5:5
guest:11 > . 77 ack 5
guest:11 < R 5:5
guest:12 > . 77 ack 5
guest:12 < R 5:5
guest:13 > . 77 ack 5
guest:13 < R 5:5
guest:14 > . 77 ack 5
guest:14 < R 5:5
guest:15 > . 77 ack 5
guest:15 < R 5:5
guest:16 > . 77 ack 5
guest:16 < R 5:5
guest:17 > . 77 ack 5
guest:17 < R 5:5
guest:18 > . 77 ack 5
guest:18 < R 5:5
guest:19 > . 77 ack 5
guest:19 < R 5:5
guest:20 > . 77 ack 5
guest:20 < R 5:5
guest:21 > . 77 ack 5
guest:21 < R 5:5
guest:22 > . 77 ack 5
guest:22 < R 5:5
guest:23 > . 77 ack 5
guest:23 < R 5:5
guest:24 > . 77 ack 5
guest:24 < R 5:5
guest:25 > . 77 ack 5
guest:25 < R 5:5
guest:26 > . 77 ack 5
guest:26 < R 5:5
guest:27 > . 77 ack 5
guest:27 < R 5:5
guest:28 > . 77 ack 5
guest:28 < R 5:5
guest:29 > . 77 ack 5
guest:29 < R 5:5
guest:30 > . 77 ack 5
guest:30 < R 5:5
guest:31 > . 77 ack 5
guest:31 < R 5:5
guest:32 > . 77 ack 5
guest:32 < R 5:5
guest:33 > . 77 ack 5
guest:33 < R 5:5
guest:34 > . 77 ack 5
guest:34 < R 5:5
guest:35 > . 77 ack 5
guest:35 < R 5:5
guest:36 > . 77 ack 5
guest:36 < R 5:5
guest:37 > . 77 ack 5
guest:37 < R 5:5
guest:38 > . 77 ack 5
guest:38 < R 5:5
guest:39 > . 77 ack 5
guest:39 < R 5:5
guest:40 > . 77 ack 5
guest:40 < R 5:5
guest:41 > . 77 ack 5
guest:41 < R 5:5
guest:42 > . 77 ack 5
guest:42 < R 5:5
guest:43 > . 77 ack 5
guest:43 < R 5:5
guest:44 > . 77 ack 5
guest:44 < R 5:5
guest:45 > . 77 ack 5
guest:45 < R 5:5
guest:46 > . 77 ack 5
guest:46 < R 5:5
guest:47 > . 77 ack 5
guest:47 < R 5:5
guest:48 > . 77 ack 5
guest:48 < R 5:5
guest:49 > . 77 ack 5
guest:49 < R 5:5
guest:50 > . 77 ack 5
guest:50 < R 5:5
guest:51 > . 77 ack 5
guest:51 < R 5:5
guest:52 > . 77 ack 5
guest:52 < R 5:5
guest:53 > . 77 ack 5
guest:53 < R 5:5
guest:54 > . 77 ack 5
guest:54 < R 5:5
guest:55 > . 77 ack 5
guest:55 < R 5:5
guest:56 > . 77 ack 5
guest:56 < R 5:5
guest:57 > . 77 ack 5
guest:57 < R 5:5
guest:58 > . 77 ack 5
guest:58 < R 5:5
guest:59 > . 77 ack 5
guest:59 < R 5:5
guest:60 > . 77 ack 5
guest:60 < R 5:5
guest:61 > . 77 ack 5
guest:61 < R 5:5
guest:62 > . 77 ack 5
guest:62 < R 5:5
guest:63 > . 77 ack 5
guest:63 < R 5:5
guest:64 > . 77 ack 5
guest:64 < R 5:5
guest:65 > . 77 ack 5
guest:65 < R 5:5
guest:66 > . 77 ack 5
guest:66 < R 5:5
guest:67 > . 77 ack 5
guest:67 < R 5:5
guest:68 > . 77 ack 5
guest:68 < R 5:5
guest:69 > . 77 ack 5
guest:69 < R 5:5
guest:70 > . 77 ack 5
guest:70 < R 5:5
guest:71 > . 77 ack 5
guest:71 < R 5:5
guest:72 > . 77 ack 5
guest:72 < R 5:5
guest:73 > . 77 ack 5
guest:73 < R 5:5
guest:74 > . 77 ack 5
guest:74 < R 5:5
guest:75 > . 77 ack 5
guest:75 < R 5:5
guest:76 > . 77 ack 5
guest:76 < R 5:5
guest:77 > . 77 ack 5
guest:77 < R 5:5
guest:78 > . 77 ack 5
guest:78 < R 5:5
guest:79 > . 77 ack 5
guest:79 < R 5:5
guest:80 > . 77 ack 5
guest:80 < R 5:5
guest:81 > . 77 ack 5
guest:81 < R 5:5
guest:82 > . 77 ack 5
guest:82 < R 5:5
guest:83 > . 77 ack 5
guest:83 < R 5:5
guest:84 > . 77 ack 5
guest:84 < R 5:5
guest:85 > . 77 ack 5
guest:85 < R 5:5
guest:86 > . 77 ack 5
guest:86 < R 5:5
guest:87 > . 77 ack 5
guest:87 < R 5:5
guest:88 > . 77 ack 5
guest:88 < R 5:5
guest:89 > . 77 ack 5
guest:89 < R 5:5
guest:90 > . 77 ack 5
guest:90 < R 5:5
guest:91 > . 77 ack 5
guest:91 < R 5:5
guest:92 > . 77 ack 5
guest:92 < R 5:5
guest:93 > . 77 ack 5
guest:93 < R 5:5
guest:94 > . 77 ack 5
guest:94 < R 5:5
guest:95 > . 77 ack 5
guest:95 < R 5:5
guest:96 > . 77 ack 5
guest:96 < R 5:5
guest:97 > . 77 ack 5
guest:97 < R 5:5
guest:98 > . 77 ack 5
guest:98 < R 5:5
guest:99 > . 77 ack 5
guest:99 < R 5:5
guest:100 > . 77 ack 5
guest:100 < R 5:5
guest:101 > . 77 ack 5
guest:102 > . 77 ack 5
guest:103 > . 77 ack 5
counter no_flow 103
counter answers_held_back 3
+1 s
guest:1 > . 77 ack 5
guest:1 < R 5:5
guest:2 > . 77 ack 5
guest:2 < R 5:5
guest:3 > . 77 ack 5
guest:3 < R 5:5
guest:4 > . 77 ack 5
guest:4 < R 5:5
guest:5 > . 77 ack 5
guest:5 < R 5:5
guest:6 > . 77 ack 5
guest:6 < R 5:5
guest:7 > . 77 ack 5
guest:7 < R 5:5
guest:8 > . 77 ack 5
guest:8 < R 5:5
guest:9 > . 77 ack 5
guest:9 < R 5:5
guest:10 > . 77 ack 5
guest:10 < R 5:5
guest:11 > . 77 ack 5
guest:11 < R 5:5
guest:12 > . 77 ack 5
guest:12 < R 5:5
guest:13 > . 77 ack 5
guest:13 < R 5:5
guest:14 > . 77 ack 5
guest:14 < R 5:5
guest:15 > . 77 ack 5
guest:15 < R 5:5
guest:16 > . 77 ack 5
guest:16 < R 5:5
guest:17 > . 77 ack 5
guest:17 < R 5:5
guest:18 > . 77 ack 5
guest:18 < R 5:5
guest:19 > . 77 ack 5
guest:19 < R 5:5
guest:20 > . 77 ack 5
guest:20 < R 5:5
guest:21 > . 77 ack 5
guest:21 < R 5:5
guest:22 > . 77 ack 5
guest:22 < R 5:5
guest:23 > . 77 ack 5
guest:23 < R 5:5
guest:24 > . 77 ack 5
guest:24 < R 5:5
guest:25 > . 77 ack 5
guest:25 < R 5:5
guest:26 > . 77 ack 5
guest:26 < R 5:5
guest:27 > . 77 ack 5
guest:27 < R 5:5
guest:28 > . 77 ack 5
guest:28 < R 5:5
guest:29 > . 77 ack 5
guest:29 < R 5:5
guest:30 > . 77 ack 5
guest:30 < R 5:5
guest:31 > . 77 ack 5
guest:31 < R 5:5
guest:32 > . 77 ack 5
guest:32 < R 5:5
guest:33 > . 77 ack 5
guest:33 < R 5:5
guest:34 > . 77 ack 5
guest:34 < R 5:5
guest:35 > . 77 ack 5
guest:35 < R 5:5
guest:36 > . 77 ack 5
guest:36 < R 5:5
guest:37 > . 77 ack 5
guest:37 < R 5:5
guest:38 > . 77 ack 5
guest:38 < R 5:5
guest:39 > . 77 ack 5
guest:39 < R 5:5
guest:40 > . 77 ack 5
guest:40 < R 5:5
guest:41 > . 77 ack 5
guest:41 < R 5:5
guest:42 > . 77 ack 5
guest:42 < R 5:5
guest:43 > . 77 ack 5
guest:43 < R 5:5
guest:44 > . 77 ack 5
guest:44 < R 5:5
guest:45 > . 77 ack 5
guest:45 < R 5:5
guest:46 > . 77 ack 5
guest:46 < R 5:5
guest:47 > . 77 ack 5
guest:47 < R 5:5
guest:48 > . 77 ack 5
guest:48 < R 5:5
guest:49 > . 77 ack 5
guest:49 < R 5:5
guest:50 > . 77 ack 5
guest:50 < R 5:5
guest:51 > . 77 ack 5
guest:51 < R 5:5
guest:52 > . 77 ack 5
guest:52 < R 5:5
guest:53 > . 77 ack 5
guest:53 < R 5:5
guest:54 > . 77 ack 5
guest:54 < R 5:5
guest:55 > . 77 ack 5
guest:55 < R 5:5
guest:56 > . 77 ack 5
guest:56 < R 5:5
guest:57 > . 77 ack 5
guest:57 < R 5:5
guest:58 > . 77 ack 5
guest:58 < R 5:5
guest:59 > . 77 ack 5
guest:59 < R 5:5
guest:60 > . 77 ack 5
guest:60 < R 5:5
guest:61 > . 77 ack 5
guest:61 < R 5:5
guest:62 > . 77 ack 5
guest:62 < R 5:5
guest:63 > . 77 ack 5
guest:63 < R 5:5
guest:64 > . 77 ack 5
guest:64 < R 5:5
guest:65 > . 77 ack 5
guest:65 < R 5:5
guest:66 > . 77 ack 5
guest:66 < R 5:5
guest:67 > . 77 ack 5
guest:67 < R 5:5
guest:68 > . 77 ack 5
guest:68 < R 5:5
guest:69 > . 77 ack 5
guest:69 < R 5:5
guest:70 > . 77 ack 5
guest:70 < R 5:5
guest:71 > . 77 ack 5
guest:71 < R 5:5
guest:72 > . 77 ack 5
guest:72 < R 5:5
guest:73 > . 77 ack 5
guest:73 < R 5:5
guest:74 > . 77 ack 5
guest:74 < R 5:5
guest:75 > . 77 ack 5
guest:75 < R 5:5
guest:76 > . 77 ack 5
guest:76 < R 5:5
guest:77 > . 77 ack 5
guest:77 < R 5:5
guest:78 > . 77 ack 5
guest:78 < R 5:5
guest:79 > . 77 ack 5
guest:79 < R 5:5
guest:80 > . 77 ack 5
guest:80 < R 5:5
guest:81 > . 77 ack 5
guest:81 < R 5:5
guest:82 > . 77 ack 5
guest:82 < R 5:5
guest:83 > . 77 ack 5
guest:83 < R 5:5
guest:84 > . 77 ack 5
guest:84 < R 5:5
guest:85 > . 77 ack 5
guest:85 < R 5:5
guest:86 > . 77 ack 5
guest:86 < R 5:5
guest:87 > . 77 ack 5
guest:87 < R 5:5
guest:88 > . 77 ack 5
guest:88 < R 5:5
guest:89 > . 77 ack 5
guest:89 < R 5:5
guest:90 > . 77 ack 5
guest:90 < R 5:5
guest:91 > . 77 ack 5
guest:91 < R 5:5
guest:92 > . 77 ack 5
guest:92 < R 5:5
guest:93 > . 77 ack 5
guest:93 < R 5:5
guest:94 > . 77 ack 5
guest:94 < R 5:5
guest:95 > . 77 ack 5
guest:95 < R 5:5
guest:96 > . 77 ack 5
guest:96 < R 5:5
guest:97 > . 77 ack 5
guest:97 < R 5:5
guest:98 > . 77 ack 5
guest:98 < R 5:5
guest:99 > . 77 ack 5
guest:99 < R 5:5
guest:100 > . 77 ack 5
guest:100 < R 5:5
guest:101 > . 77 ack 5
counter answers_held_back 4
