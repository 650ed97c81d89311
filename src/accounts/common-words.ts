/**
 * What people make passwords of when rules ask for twelve characters of four kinds: one or two of these, a year, an
 * exclamation mark. Lower case, letters and digits only, four or more; `weak-password` finds them dressed up.
 */
const TEXT = `
password passwort passphrase passw pass passcode passkey kata sandi katasandi katakunci rahasia rahasiaku secret letmein login logon
masuk welcome welcom selamat datang selamatdatang admin administrator adminadmin root superuser superadmin sysadmin user username pengguna operator
guest tamu test testing tester tests demo default master access akses changeme change ganti gantipassword change reset temp temporary
sementara baru lama pribadi private public umum internet computer komputer laptop keyboard android samsung xiaomi
oppo vivo iphone nokia google gmail yahoo facebook twitter instagram whatsapp telegram tiktok youtube tokopedia shopee gojek
bukalapak traveloka microsoft windows office excel linux ubuntu server database oracle mysql cisco router network
security secure keamanan aman system sistem aplikasi website online digital data server jaringan wifi hotspot

qwerty qwertyu qwertyui qwertyuiop qwert qwer asdf asdfg asdfgh asdfghjkl zxcv zxcvb zxcvbn zxcvbnm qazwsx qazwsxedc wasd azerty qwertz
abcd abcde abcdef abcdefg abcdefgh abcabc aabbcc aaaa abcd1234 abc123 abc12345 pass123 admin123 test123 user123 root123

iloveyou loveyou ilove love lover lovely loveme iloveu sweetheart sweet honey baby babygirl babyboy princess prince angel sunshine
flower summer winter spring autumn monkey dragon tiger lion eagle wolf shadow superman batman spiderman ironman naruto sasuke pokemon pikachu
doraemon onepiece luffy goku dragonball marvel starwars harrypotter hello helloworld hellokitty kitty world computer football baseball basketball soccer
hockey volleyball badminton bulutangkis futsal chelsea liverpool arsenal manchester united barcelona madrid realmadrid juventus milan intermilan acmilan
persib persija persebaya arema persipura bobotoh jakmania bonek aremania ronaldo messi neymar michael jordan jessica ashley daniel thomas
charlie robert andrew joshua matthew anthony william jennifer michelle nicole hunter george ginger pepper cookie chocolate cheese coffee banana
apple orange purple yellow green blue black white silver golden diamond ruby crystal mustang ferrari mercedes porsche yamaha honda toyota
suzuki kawasaki daihatsu avanza vario mio freedom liberty victory champion winner success killer ninja samurai phoenix matrix trustno
whatever blink nothing forever family friend friends happy smile peace power magic mother father sister brother jesus christ church heaven god bless
godbless blessed faith hope amen startrek computer starwars december november october september august july june april march february january monday
tuesday wednesday thursday friday saturday sunday today tomorrow zaq12wsx zaqxsw sample example nimda p4ss passpass

merdeka17 lemari indonesia indonesiaku indonesiaraya nusantara merdeka kemerdekaan proklamasi pancasila garuda bhinneka bhineka tunggal ika bhinnekatunggalika nkri
bangsa negara negeri negeriku republik presiden wapres menteri pahlawan pejuang pemuda sumpah sumpahpemuda kartini soekarno sukarno hatta suharto soeharto habibie
gusdur megawati jokowi joko widodo prabowo gibran subianto anies ganjar mahfud diponegoro sudirman gajahmada majapahit sriwijaya
akucintaindonesia cintaindonesia akuindonesia sayaindonesia indonesiajaya indonesiamaju indonesiaemas reformasi demokrasi persatuan kesatuan keadilan

sayang sayangku sayangkamu akusayangkamu cinta cintaku cintakamu kasih kasihku kekasih rindu kangen pacar pacarku suami suamiku istri istriku mantan
jodoh bahagia bahagiaku senang gembira semangat sukses berkah barokah berhasil juara menang mantap hebat keren cantik ganteng manis imut lucu
jelek bodoh gila goblok anjing bangsat bajingan sialan aduh hore yaiya gakada tidaktahu tidakada lupa lupalagi jangan janganlupa lupapassword
ingat selalu selamanya satu dua tiga empat lima enam tujuh delapan sembilan sepuluh satuduatiga pertama terakhir terbaik nomor nomorsatu
kamu kita kami mereka dia saya aku siapa dimana kapan kenapa bagaimana terserah
ibu bunda bundaku mama mamah mamaku emak ibuku ayah ayahku papa papah papaku bapak bapakku abah abi umi ummi anak anakku buahhati putra putri putraku putriku
adik adikku kakak kakakku abang mbak mas nenek kakek eyang oma opa cucu keluarga keluargaku keluargabahagia rumah rumahku istana surga surgaku neraka
teman temanku sahabat sahabatku persahabatan kawan jomblo

bismillah bismilah basmalah alhamdulillah alhamdulilah subhanallah masyaallah insyaallah astaghfirullah allah allahuakbar allahswt akbar laailahaillallah muhammadrasulullah
rasulullah nabi islam muslim muslimah quran alquran shalat sholat salat puasa ramadhan ramadan lebaran idulfitri fitri iduladha zakat haji umrah umroh mekah mekkah makkah
madinah masjid mushola musholla assalamualaikum salam wassalam barakallah hidayah taqwa iman ikhlas sabar syukur tawakal doa doaibu berdoa
yesus tuhan tuhanyesus tuhanku tuhanmaha kristus kristen katolik gereja haleluya halleluya imanuel immanuel maria santamaria bunda mulia rosario natal paskah
hindu budha buddha namobuddhaya omswastiastu swastiastu waisak nyepi galungan

januari februari maret april juni juli agustus september oktober november desember senin selasa rabu kamis jumat sabtu minggu ahad
hari bulan tahun tahunbaru pagi siang sore malam besok kemarin sekarang musim hujan kemarau

merah putih merahputih biru hijau kuning hitam ungu coklat jingga orange pink emas perak abuabu pelangi warna
bunga melati mawar anggrek matahari teratai kamboja tulip sakura bintang bintangku rembulan langit awan angin gunung laut pantai pulau sungai danau hutan
mentari fajar senja samudra samudera bumi dunia alam semesta cahaya sinar permata mutiara berlian intan
kucing kucingku kelinci harimau macan singa gajah kuda sapi kambing ayam bebek burung elang rajawali naga ular ikan lele monyet buaya kancil semut kupu kupukupu lebah
nasi nasigoreng goreng rendang sate soto bakso mieayam indomie gudeg pecel lontong ketupat tempe tahu kopi kopiku teh susu sambal pedas
mangga pisang jeruk apel durian rambutan salak semangka melon nanas pepaya manggis jambu anggur kelapa stroberi
motor mobil sepeda kereta pesawat kapal bola sepakbola sepak gitar musik lagu dangdut band slank peterpan noah sheila buku pensil meja kursi pintu jendela lampu
dompet uang duit rupiah juta milyar miliar kaya kayaraya bank mandiri gaji gajian tunjangan pensiun

aceh medan padang pekanbaru jambi palembang bengkulu lampung jakarta jakartabarat jakartatimur jakartaselatan jakartautara jakartapusat betawi bogor depok tangerang bekasi banten serang cilegon
bandung cimahi cirebon sukabumi tasikmalaya garut cianjur karawang purwakarta subang indramayu majalengka kuningan sumedang ciamis banjar pangandaran semarang
surakarta solo sragen boyolali klaten sukoharjo karanganyar wonogiri magelang salatiga tegal pekalongan brebes pemalang batang kendal demak kudus jepara pati rembang blora
grobogan purwokerto banyumas cilacap kebumen purworejo wonosobo temanggung purbalingga banjarnegara yogyakarta jogja jogjakarta yogya sleman bantul kulonprogo gunungkidul surabaya malang
sidoarjo gresik mojokerto jombang kediri blitar madiun ngawi magetan ponorogo pacitan trenggalek tulungagung nganjuk bojonegoro tuban lamongan pasuruan
probolinggo lumajang jember bondowoso situbondo banyuwangi bangkalan sampang pamekasan sumenep madura bali denpasar badung gianyar tabanan buleleng ubud kuta singaraja
mataram lombok bima sumbawa kupang flores ende maumere sumba pontianak singkawang sambas palangkaraya banjarmasin banjarbaru martapura samarinda balikpapan bontang tarakan
kutai manado bitung gorontalo palu makassar parepare bone gowa maros toraja kendari baubau ambon maluku ternate tidore halmahera jayapura papua sorong manokwari merauke
timika biak nabire wamena batam bintan tanjungpinang tanjung pinang riau kepulauan bangka belitung pangkalpinang padangsidempuan sibolga siantar pematangsiantar binjai deliserdang
toba nias bukittinggi payakumbuh solok pariaman minang minangkabau batak dumai siak kampar langsa lhokseumawe sabang meulaboh sumatera sumatra jawa kalimantan sulawesi nusatenggara
jawabarat jawatengah jawatimur barat timur utara selatan tengah pusat borneo kalteng kalsel kaltim kalbar kaltara sumut sumbar sumsel jabar jateng jatim sulsel sulut sulteng sultra sunda betawi
singapura malaysia thailand jepang japan korea koreaselatan china inggris belanda amerika america australia arab london paris tokyo jerman germany france

agus andi andika andri adi adit aditya afif ahmad akhmad achmad alif alfi aldi amin amir anang andre angga anggi anggun ani anis anita anton antonius ari arief arif aries arya asep astuti ayu
bagas bagus bambang bayu benny budi budiman budianto cahyo candra chandra citra damar dani daniel danu david dedi deddy dede deni denny desi dewi dian diana dika dimas dina dini doni donny dwi
edi eddy efendi effendi eka eko elsa endang erik erna ernawati erwin evi fadil fadli fahmi fahri faisal fajar farhan farid fatimah febri ferdi ferry fikri firman fitri fitria fitriani galih galang
gilang gunawan guntur hadi hafiz hakim hamid hana handoko hani hariyanto haryanto hasan hasanah hendra hendri hendro heri herman hermawan heru hidayat ibrahim icha idris ika ikhsan ilham imam
imron indah indra indri intan irfan irma irwan iskandar ismail iwan jaya joni juli julia jumadi junaidi kadek ketut komang kartika kartono kevin khairul kiki komar kurnia kurniawan kusuma
laila lestari lia lina linda lisa lukman lusi made mahmud mardi maria mariana marlina maulana mega melani mira mira muhamad muhammad mohammad mochamad mukti mulyadi mulyono mustafa nabila nadia nana nanda nani
nasution nia nina nisa nita novi novia novita nugraha nugroho nur nurul nurhayati nyoman oktavia pandu panji pratama prasetyo prasetya priyanto purnama purnomo purwanto putri putra putu
rafi rafli rahayu rahma rahman rahmat rahmawati rama ramadhani rani ratih ratna ratnasari reni reza rian riana ridho ridwan rifki rika rina rini rio rita riyanto rizal rizki rizky robby romi roni rosa rudi
rudianto saepul safitri saiful salim salsa salsabila samsul sandi santi santoso saputra saputri sari sarah setia setiawan setiawati simanjuntak sinta siregar siska siti slamet sofyan sri subagyo sugeng
sugiarto sugiyanto suharti sukma sulastri sulistyo sumarni sunarto supardi supriadi supriyadi supriyanto surya suryadi suryanto susanti susanto susi susilo sutrisno suwarno suyanto syahrul syarif
taufik teguh tika tina toni tono tri triyono ujang umar untung usman utami utomo vera vina wahid wahyu wahyudi wahyuni wati wawan wayan widi widia widodo widya wijaya wisnu wulan wulandari
yadi yani yanti yanto yanuar yogi yoga yohanes yudha yudi yuli yulia yulianti yulianto yuni yunita yusuf zaenal zahra zainal zainuddin zulfikar zulkifli

pegawai pegawaiku pegawainegeri pegawainegerisipil negerisipil sipil kepegawaian karyawan kantor kantorku kantorpusat dinas dinasku badan kementerian kemenkeu kemendagri kemenkes kemenag kemendikbud kemenpan menpan
kemenhub kemensos kemenpu kominfo polri polisi tentara tni angkatan darat laut udara brimob bappeda bapenda inspektorat sekretariat sekda setda dprd gubernur bupati walikota wakil camat kecamatan lurah
kelurahan desa kepala kepaladesa kabupaten kota kotaku provinsi pemda pemkab pemkot pemprov pemerintah pemerintahan puskesmas rumahsakit dokter perawat bidan apoteker guru guruku dosen sekolah sekolahku sdnegeri smpn smanegeri
madrasah pesantren pondok kampus universitas mahasiswa siswa murid pelajar kelas ujian lulus lulustes belajar ilmu pintar cerdas juara rangking
bendahara keuangan anggaran umumkepegawaian arsip surat laporan kinerja absen absensi apel rapat cuti pensiunan jabatan pangkat golongan honorer kontrak outsourcing satpam programmer developer
rahasianegara abdinegara abdi abdimasyarakat masyarakat rakyat wargaku warga layanan pelayanan pelayananpublik melayani bangga banggamelayani berakhlak akhlak integritas profesional amanah kompeten harmonis loyal adaptif kolaboratif
`;

export const COMMON_WORDS: ReadonlySet<string> = new Set(TEXT.split(/\s+/).filter((word) => word.length >= 4));
